/* One interface, IPv4, by ioctl: needs nothing of the kernel but INET. */
#ifndef INIT_NET_H
#define INIT_NET_H

#include "config.h"

/* Addresses are kept in network byte order, as the kernel takes them. */
struct lease {
	uint32_t address, netmask, gateway;
	uint32_t dns[MAX_DNS];
	int dns_count;
	char domain[128];
};

void net_loopback_up(void);
/* Brings the network up as configured and tells the host, or says why it could not. */
void net_up(const struct config *config);

/* dhcp.c. Asks for about ten seconds; 0, -ETIMEDOUT or what the kernel refused. RFC 2131. */
long dhcp_ask(const char *interface, const uint8_t hardware[6], const char *hostname, struct lease *lease);

/* struct ifreq and struct rtentry of uapi/linux/if.h and route.h, which themselves need libc. */
struct socket_address {
	uint16_t family;
	uint16_t port;
	uint32_t address;
	uint8_t zero[8];
};

struct interface_request {
	char name[16];
	union {
		struct socket_address address;
		int16_t flags;
		int32_t index;
		uint8_t hardware[24];
		uint8_t all[24];
	};
};

#define AF_INET_FAMILY 2

static inline uint16_t swap16(uint16_t value) { return __builtin_bswap16(value); }
static inline uint32_t swap32(uint32_t value) { return __builtin_bswap32(value); }

void add_address(struct text *to, uint32_t address);

#endif
