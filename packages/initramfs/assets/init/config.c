#include "config.h"

static void problem(struct config *config, const char *what, const char *record)
{
	if (config->problem[0])
		return;
	struct text text = {config->problem, sizeof config->problem, 0};
	text_add(&text, "%s: \"%s\"", what, record);
}

/* A variable set twice keeps its last value, as in env(1). */
static void add_env(struct config *config, char *assignment)
{
	const char *equals = text_find(assignment, '=');
	if (!equals) {
		problem(config, "an env record without \"=\"", assignment);
		return;
	}
	size_t name = (size_t)(equals - assignment) + 1;
	for (int i = 0; i < config->env_count; i++) {
		if (memcmp(config->env[i], assignment, name) == 0) {
			config->env[i] = assignment;
			return;
		}
	}
	if (config->env_count == MAX_ENV) {
		problem(config, "too many env records", assignment);
		return;
	}
	config->env[config->env_count++] = assignment;
	config->env[config->env_count] = NULL;
}

static void add_arg(struct config *config, char *value)
{
	if (config->arg_count == MAX_ARGS) {
		problem(config, "too many arg records", value);
		return;
	}
	config->args[config->arg_count++] = value;
	config->args[config->arg_count] = NULL;
}

static void add_module(struct config *config, const char *value)
{
	if (config->module_count == MAX_MODULES)
		problem(config, "too many module records", value);
	else
		config->modules[config->module_count++] = value;
}

static void add_capability(struct config *config, const char *value)
{
	if (config->capability_count == MAX_CAPABILITIES)
		problem(config, "too many capability records", value);
	else
		config->capabilities[config->capability_count++] = value;
}

static void add_setting(struct config *config, const char *value)
{
	if (config->setting_count == MAX_SETTINGS)
		problem(config, "too many setting records", value);
	else
		config->settings[config->setting_count++] = value;
}

static void add_dns(struct config *config, const char *value)
{
	if (config->dns_count == MAX_DNS)
		problem(config, "more than three dns records", value);
	else
		config->dns[config->dns_count++] = value;
}

/* The value of a record whose key is name, NULL for another key. An empty value means "not set". */
static char *value_of(char *record, const char *name)
{
	size_t length = strlen(name);
	return text_starts(record, name) && record[length] == '=' ? record + length + 1 : NULL;
}

static int choice(struct config *config, const char *record, const char *value, const char *const names[])
{
	for (int i = 0; names[i]; i++)
		if (text_equal(value, names[i]))
			return i;
	problem(config, "an unknown value", record);
	return 0;
}

static void apply(struct config *config, char *record)
{
	static const char *const networks[] = {"none", "dhcp", "static", NULL};
	static const char *const afters[] = {"poweroff", "reboot", "halt", NULL};
	static const char *const inputs[] = {"null", "console", NULL};
	static const char *const ttys[] = {"cooked", "raw", NULL};
	const struct {
		const char *name;
		const char **to;
	} plain[] = {
		{"hostname", &config->hostname}, {"address", &config->address}, {"gateway", &config->gateway},
		{"cwd", &config->cwd},		 {"channel", &config->channel}, {"token", &config->token},
		{"tee", &config->tee},		 {"bundle", &config->bundle},
	};
	char *value;

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		if ((value = value_of(record, plain[i].name))) {
			*plain[i].to = *value ? value : NULL;
			return;
		}
	}
	if ((value = value_of(record, "arg")))
		add_arg(config, value);
	else if ((value = value_of(record, "env")))
		add_env(config, value);
	else if ((value = value_of(record, "module")))
		add_module(config, value);
	else if ((value = value_of(record, "capability")))
		add_capability(config, value);
	else if ((value = value_of(record, "setting")))
		add_setting(config, value);
	else if ((value = value_of(record, "dns")))
		add_dns(config, value);
	else if ((value = value_of(record, "report")))
		config->report_ms = (long)text_number(value, NULL);
	else if ((value = value_of(record, "network")))
		config->network = (enum network)choice(config, record, value, networks);
	else if ((value = value_of(record, "after")))
		config->after = (enum after)choice(config, record, value, afters);
	else if ((value = value_of(record, "stdin")))
		config->stdin_console = choice(config, record, value, inputs) == 1;
	else if ((value = value_of(record, "tty")))
		config->raw = choice(config, record, value, ttys) == 1;
	else
		problem(config, "an unknown record", record);
}

/* The strings stay in the file's own memory, which is therefore never freed. */
static void read_records(struct config *config, const char *path, bool is_job)
{
	struct bytes file = {0};
	if (bytes_read_file(&file, path) < 0)
		return;
	bool args_replaced = false, dns_replaced = false;
	for (size_t at = 0; at < file.length; at += strlen(file.data + at) + 1) {
		char *record = file.data + at;
		/* A job's arguments replace the baked ones as a whole: mixing two command lines helps nobody. */
		if (is_job && !args_replaced && text_starts(record, "arg=")) {
			config->arg_count = 0;
			args_replaced = true;
		}
		if (is_job && !dns_replaced && text_starts(record, "dns=")) {
			config->dns_count = 0;
			dns_replaced = true;
		}
		if (*record)
			apply(config, record);
	}
}

void config_read(struct config *config)
{
	add_env(config, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add_env(config, "HOME=/");
	add_env(config, "TERM=linux");
	read_records(config, "/etc/appliance/init", false);
	read_records(config, "/etc/appliance/job", true);
}
