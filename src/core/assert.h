// assert() that stays in every build: what must be true is memory safety, too. Builds with
// CONFIG_DEBUG_CHECKS say which one failed and where; the others end without the words, which would
// cost 5 KiB.
#ifndef CORE_ASSERT_H
#define CORE_ASSERT_H

#include "core/config.h"

#ifdef CONFIG_DEBUG_CHECKS
#include <assert.h>
#else
#include <stdlib.h>
#define assert(expression) ((expression) ? (void)0 : abort())
#ifndef static_assert
#define static_assert _Static_assert
#endif
#endif

#endif
