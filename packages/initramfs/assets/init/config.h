/* What this boot is to do: NUL-terminated key=value records, baked into the image and overridden per run. */
#ifndef INIT_CONFIG_H
#define INIT_CONFIG_H

#include "text.h"

enum network { NETWORK_NONE, NETWORK_DHCP, NETWORK_STATIC };
enum after { AFTER_POWEROFF, AFTER_REBOOT, AFTER_HALT };

#define MAX_ARGS 1024
#define MAX_ENV 512
#define MAX_MODULES 512
#define MAX_CAPABILITIES 256
#define MAX_SETTINGS 64
#define MAX_DNS 3 /* MAXNS of resolver(5) */

struct config {
	const char *hostname;
	enum network network;
	const char *address, *gateway;
	const char *dns[MAX_DNS];
	int dns_count;
	const char *modules[MAX_MODULES];
	int module_count;
	const char *capabilities[MAX_CAPABILITIES];
	int capability_count;
	const char *settings[MAX_SETTINGS];
	int setting_count;
	char *args[MAX_ARGS + 1];
	int arg_count;
	char *env[MAX_ENV + 1];
	int env_count;
	const char *cwd;
	enum after after;
	long report_ms;
	const char *channel, *token, *tee, *bundle;
	bool stdin_console, raw;
	/* The first record that could not be used, "" if all could. */
	char problem[160];
};

/* Reads /etc/appliance/init, then /etc/appliance/job; a missing file is no error. */
void config_read(struct config *config);

#endif
