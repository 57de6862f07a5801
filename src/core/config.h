// The build's configuration: the CONFIG_ symbols of Kconfig, as the build wrote them out.
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "config_generated.h"

#endif
