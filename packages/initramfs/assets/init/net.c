#include "net.h"
#include "channel.h"
#include "console.h"

#include <linux/sockios.h>

/* uapi/linux/if.h and if_arp.h, which themselves need libc */
#define ARPHRD_ETHER 1
#define FLAG_UP 0x1
#define FLAG_LOOPBACK 0x8
#define FLAG_RUNNING 0x40

/* struct rtentry, uapi/linux/route.h */
struct route {
	unsigned long pad1;
	struct socket_address destination, gateway, netmask;
	uint16_t flags;
	int16_t pad2;
	unsigned long pad3;
	void *pad4;
	int16_t metric;
	char *device;
	unsigned long mtu, window;
	uint16_t irtt;
};
#define ROUTE_UP 0x1
#define ROUTE_GATEWAY 0x2

static long open_socket(void)
{
	return SYS3(__NR_socket, AF_INET_FAMILY, 2 /* SOCK_DGRAM */ | O_CLOEXEC, 0);
}

static void set_name(struct interface_request *request, const char *name)
{
	memset(request, 0, sizeof *request);
	for (size_t i = 0; name[i] && i < sizeof request->name - 1; i++)
		request->name[i] = name[i];
}

static long get_flags(long fd, const char *name, int *flags)
{
	struct interface_request request;
	set_name(&request, name);
	long error = sys_ioctl((int)fd, SIOCGIFFLAGS, &request);
	*flags = request.flags;
	return error;
}

static long set_up(long fd, const char *name, bool up)
{
	struct interface_request request;
	set_name(&request, name);
	long error = sys_ioctl((int)fd, SIOCGIFFLAGS, &request);
	if (error)
		return error;
	request.flags = (int16_t)(up ? request.flags | FLAG_UP : request.flags & ~FLAG_UP);
	return sys_ioctl((int)fd, SIOCSIFFLAGS, &request);
}

void net_loopback_up(void)
{
	long fd = open_socket();
	long error = fd < 0 ? fd : set_up(fd, "lo", true);
	if (error < 0)
		note("no loopback interface: %s", error_text(error));
	if (fd >= 0)
		sys_close((int)fd);
}

struct interface {
	char name[16];
	uint8_t hardware[6];
};

/* A network card, not lo, dummy0, sit0 or another thing of software. */
static bool is_ethernet(long fd, int index, struct interface *found)
{
	struct interface_request request = {.index = index};
	if (sys_ioctl((int)fd, SIOCGIFNAME, &request))
		return false;
	memcpy(found->name, request.name, sizeof found->name);
	int flags;
	if (get_flags(fd, found->name, &flags) || flags & FLAG_LOOPBACK)
		return false;
	set_name(&request, found->name);
	if (sys_ioctl((int)fd, SIOCGIFHWADDR, &request) || request.address.family != ARPHRD_ETHER)
		return false;
	memcpy(found->hardware, request.hardware + 2, 6);
	/* Of a card /sys knows the device; dummies, bridges and the like have none. */
	TEXT(device, 64);
	text_add(&device, "/sys/class/net/%s/device", found->name);
	return sys_access("/sys/class/net", 0) || !sys_access(device.data, 0);
}

#define MAX_INDEX 32

/* The first card with a carrier; if none gets one in five seconds, the first card. All are brought up
   for that, because a card that is down knows of no carrier. */
static bool pick_interface(long fd, struct interface *picked)
{
	struct interface candidate;
	bool any = false;
	for (int waited = 0; waited < 5000; waited += 20) {
		any = false;
		for (int index = 1; index <= MAX_INDEX; index++) {
			if (!is_ethernet(fd, index, &candidate))
				continue;
			int flags;
			if (!any)
				*picked = candidate;
			any = true;
			if (get_flags(fd, candidate.name, &flags))
				continue;
			if (!(flags & FLAG_UP)) {
				long error = set_up(fd, candidate.name, true);
				if (error)
					note("cannot bring %s up: %s", candidate.name, error_text(error));
				get_flags(fd, candidate.name, &flags);
			}
			if (flags & FLAG_RUNNING) {
				*picked = candidate;
				return true;
			}
		}
		/* A driver may still be looking for its card, but not for long. */
		if (!any && waited >= 2000)
			break;
		sleep_ms(20);
	}
	return any;
}

static void others_down(long fd, const struct interface *picked)
{
	struct interface other;
	for (int index = 1; index <= MAX_INDEX; index++)
		if (is_ethernet(fd, index, &other) && !text_equal(other.name, picked->name))
			set_up(fd, other.name, false);
}

void add_address(struct text *to, uint32_t address)
{
	const uint8_t *bytes = (const uint8_t *)&address;
	text_add(to, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
}

static bool parse_address(const char *text, uint32_t *address, const char **rest)
{
	uint8_t *bytes = (uint8_t *)address;
	for (int i = 0; i < 4; i++) {
		const char *end;
		unsigned long value = text_number(text, &end);
		if (end == text || value > 255 || (i < 3 && *end != '.'))
			return false;
		bytes[i] = (uint8_t)value;
		text = i < 3 ? end + 1 : end;
	}
	*rest = text;
	return true;
}

static bool static_lease(const struct config *config, struct lease *lease)
{
	const char *rest;
	unsigned long length = 24;
	if (!config->address || !parse_address(config->address, &lease->address, &rest))
		return false;
	if (*rest == '/')
		length = text_number(rest + 1, &rest);
	if (*rest || length > 32)
		return false;
	lease->netmask = length ? swap32(~0u << (32 - length)) : 0;
	return !config->gateway || (parse_address(config->gateway, &lease->gateway, &rest) && !*rest);
}

static long set_address(long fd, const char *name, unsigned long which, uint32_t address)
{
	struct interface_request request;
	set_name(&request, name);
	request.address.family = AF_INET_FAMILY;
	request.address.address = address;
	return sys_ioctl((int)fd, which, &request);
}

static long apply(long fd, struct interface *interface, const struct lease *lease)
{
	long error = set_address(fd, interface->name, SIOCSIFADDR, lease->address);
	if (!error)
		error = set_address(fd, interface->name, SIOCSIFNETMASK, lease->netmask);
	if (!error)
		error = set_address(fd, interface->name, SIOCSIFBRDADDR, lease->address | ~lease->netmask);
	if (error || !lease->gateway)
		return error;
	struct route route = {.flags = ROUTE_UP | ROUTE_GATEWAY, .device = interface->name};
	route.destination.family = route.netmask.family = route.gateway.family = AF_INET_FAMILY;
	route.gateway.address = lease->gateway;
	return sys_ioctl((int)fd, SIOCADDRT, &route);
}

static void write_resolv_conf(const struct config *config, const struct lease *lease)
{
	TEXT(file, 512);
	if (lease->domain[0])
		text_add(&file, "search %s\n", lease->domain);
	for (int i = 0; i < config->dns_count; i++)
		text_add(&file, "nameserver %s\n", config->dns[i]);
	/* What the image says about name servers wins over what the network says. */
	for (int i = 0; i < lease->dns_count && !config->dns_count; i++) {
		text_add(&file, "nameserver ");
		add_address(&file, lease->dns[i]);
		text_add(&file, "\n");
	}
	if (!file.length)
		return;
	sys_mkdir("/etc", 0755);
	long fd = sys_open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write_all((int)fd, file.data, file.length))
		note("cannot write /etc/resolv.conf: %s", error_text(fd));
	if (fd >= 0)
		sys_close((int)fd);
}

static int prefix_length(uint32_t netmask)
{
	int length = 0;
	for (uint32_t mask = swap32(netmask); mask & 0x80000000u; mask <<= 1)
		length++;
	return length;
}

static void tell_host(const struct interface *interface, const struct lease *lease, const char *method)
{
	TEXT(address, 24);
	TEXT(gateway, 24);
	add_address(&address, lease->address);
	text_add(&address, "/%d", prefix_length(lease->netmask));
	if (lease->gateway)
		add_address(&gateway, lease->gateway);
	channel_send("net",
		     "{\"interface\":\"%j\",\"address\":\"%s\",\"gateway\":\"%s\",\"method\":\"%s\",\"monotonic_ns\":%lu}",
		     interface->name, address.data, gateway.data, method, monotonic_ns());
}

void net_up(const struct config *config)
{
	if (config->network == NETWORK_NONE)
		return;
	bool dhcp = config->network == NETWORK_DHCP;
	struct interface interface;
	struct lease lease = {0};
	long fd = open_socket();
	if (fd < 0) {
		fail(fd, "network", "no network: %s", error_text(fd));
		return;
	}
	long error = 0;
	if (!pick_interface(fd, &interface)) {
		fail(-ENODEV, "network", "no network: the kernel found no network card (is its driver built in or listed as a module?)");
	} else if (others_down(fd, &interface), !dhcp && !static_lease(config, &lease)) {
		fail(-EINVAL, "network", "no network: cannot read the address \"%s\" or the gateway \"%s\"",
		     config->address ? config->address : "", config->gateway ? config->gateway : "");
	} else if (dhcp && (error = dhcp_ask(interface.name, interface.hardware, config->hostname, &lease))) {
		fail(error, "network", "no network: no usable DHCP answer on %s: %s", interface.name, error_text(error));
	} else if ((error = apply(fd, &interface, &lease))) {
		fail(error, "network", "no network: cannot set the address of %s: %s", interface.name, error_text(error));
	} else {
		write_resolv_conf(config, &lease);
		tell_host(&interface, &lease, dhcp ? "dhcp" : "static");
	}
	sys_close((int)fd);
}
