// Consoles and channels that clients have open.
#ifndef VIRT_DOMAIN_DOMAIN_CONSOLE_H
#define VIRT_DOMAIN_DOMAIN_CONSOLE_H

// Ends those that the access rules, which have changed, do not let their clients have any more.
void domain_console_rules_changed(void);

#endif
