/* A DHCP client for one lease (RFC 2131, options of RFC 2132). It does not renew: an appliance that must
   outlive its lease brings a client of its own. */
#include "net.h"

#include <asm/socket.h>

struct packet {
	uint8_t op, hardware_type, hardware_length, hops;
	uint32_t transaction;
	uint16_t seconds, flags;
	uint32_t client, yours, server, relay;
	uint8_t hardware[16];
	uint8_t server_name[64], file[128];
	uint32_t cookie;
	uint8_t options[312]; /* RFC 2131 section 2: every host must take at least these */
};

enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, NAK = 6 };
enum {
	OPTION_NETMASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_HOSTNAME = 12,
	OPTION_DOMAIN = 15,
	OPTION_REQUESTED = 50,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_PARAMETERS = 55,
	OPTION_MAX_SIZE = 57,
	OPTION_END = 255,
};

#define COOKIE 0x63825363u
#define BROADCAST_FLAG 0x8000u
#define CLIENT_PORT 68
#define SERVER_PORT 67

struct client {
	long fd;
	const uint8_t *hardware;
	const char *hostname;
	uint32_t transaction;
	uint64_t started;
	uint32_t offered, server; /* from the offer that we took */
};

struct answer {
	int type;
	uint32_t server;
	struct lease lease;
};

static long open_socket(const char *interface)
{
	long fd = SYS3(__NR_socket, AF_INET_FAMILY, 2 /* SOCK_DGRAM */ | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	int on = 1;
	struct socket_address any = {AF_INET_FAMILY, swap16(CLIENT_PORT), 0, {0}};
	long error = SYS5(__NR_setsockopt, fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	if (!error)
		error = SYS5(__NR_setsockopt, fd, SOL_SOCKET, SO_BINDTODEVICE, interface, strlen(interface) + 1);
	if (!error)
		error = SYS3(__NR_bind, fd, &any, sizeof any);
	if (!error)
		return fd;
	sys_close((int)fd);
	return error;
}

static uint8_t *option(uint8_t *at, int code, const void *value, size_t length)
{
	*at++ = (uint8_t)code;
	*at++ = (uint8_t)length;
	memcpy(at, value, length);
	return at + length;
}

static long send(struct client *client, uint8_t type)
{
	static const uint8_t wanted[] = {OPTION_NETMASK, OPTION_ROUTER, OPTION_DNS, OPTION_DOMAIN};
	static const uint8_t max_size[] = {sizeof(struct packet) >> 8 & 255, sizeof(struct packet) & 255};
	struct packet packet = {.op = 1, .hardware_type = 1, .hardware_length = 6};
	packet.transaction = client->transaction;
	packet.seconds = swap16((uint16_t)((monotonic_ns() - client->started) / 1000000000u));
	/* We have no address yet, so an answer can reach us only as a broadcast. */
	packet.flags = swap16(BROADCAST_FLAG);
	packet.cookie = swap32(COOKIE);
	memcpy(packet.hardware, client->hardware, 6);
	uint8_t *at = option(packet.options, OPTION_TYPE, &type, 1);
	if (type == REQUEST) {
		at = option(at, OPTION_REQUESTED, &client->offered, 4);
		at = option(at, OPTION_SERVER, &client->server, 4);
	}
	at = option(at, OPTION_PARAMETERS, wanted, sizeof wanted);
	at = option(at, OPTION_MAX_SIZE, max_size, sizeof max_size);
	if (client->hostname && strlen(client->hostname) < 64)
		at = option(at, OPTION_HOSTNAME, client->hostname, strlen(client->hostname));
	*at = OPTION_END;
	struct socket_address all = {AF_INET_FAMILY, swap16(SERVER_PORT), ~0u, {0}};
	long sent = SYS6(__NR_sendto, client->fd, &packet, sizeof packet, 0, &all, sizeof all);
	return sent < 0 ? sent : 0;
}

static void take_option(struct answer *answer, int code, const uint8_t *value, size_t length)
{
	struct lease *lease = &answer->lease;
	switch (code) {
	case OPTION_TYPE:
		if (length >= 1)
			answer->type = value[0];
		break;
	case OPTION_NETMASK:
		if (length >= 4)
			memcpy(&lease->netmask, value, 4);
		break;
	case OPTION_ROUTER:
		if (length >= 4)
			memcpy(&lease->gateway, value, 4);
		break;
	case OPTION_SERVER:
		if (length >= 4)
			memcpy(&answer->server, value, 4);
		break;
	case OPTION_DNS:
		for (size_t i = 0; i + 4 <= length && lease->dns_count < MAX_DNS; i += 4)
			memcpy(&lease->dns[lease->dns_count++], value + i, 4);
		break;
	case OPTION_DOMAIN:
		/* It ends up in a file that others parse: only what a domain name may hold. */
		for (size_t i = 0; i < length && i < sizeof lease->domain - 1; i++) {
			uint8_t c = value[i];
			bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
			if (!plain && c != '-' && c != '.' && c != '_')
				break;
			lease->domain[i] = (char)c;
		}
		break;
	}
}

static bool parse(const struct client *client, const struct packet *packet, size_t size, struct answer *answer)
{
	memset(answer, 0, sizeof *answer);
	if (size < offsetof(struct packet, options) || packet->op != 2 || packet->cookie != swap32(COOKIE) ||
	    packet->transaction != client->transaction || memcmp(packet->hardware, client->hardware, 6))
		return false;
	const uint8_t *at = packet->options, *end = (const uint8_t *)packet + size;
	while (at < end && *at != OPTION_END) {
		if (*at == 0) { /* padding */
			at++;
			continue;
		}
		if (end - at < 2 || end - at - 2 < at[1])
			break;
		take_option(answer, at[0], at + 2, at[1]);
		at += 2 + at[1];
	}
	answer->lease.address = packet->yours;
	if (!answer->lease.netmask) {
		/* A server may leave it out; then the address class decides, as before CIDR. */
		uint8_t first = *(const uint8_t *)&packet->yours;
		answer->lease.netmask = swap32(first < 128 ? 0xff000000u : first < 192 ? 0xffff0000u : 0xffffff00u);
	}
	return answer->type != 0;
}

/* The next answer of one of two types before the deadline. */
static bool receive(const struct client *client, uint64_t deadline, int type, int other, struct answer *answer)
{
	/* Long enough for any answer: we told the server our limit, but it may ignore that. */
	static union {
		struct packet packet;
		uint8_t bytes[1500];
	} buffer;
	for (;;) {
		uint64_t now = monotonic_ns();
		if (now >= deadline)
			return false;
		timespec left = {(long)((deadline - now) / 1000000000u), (long)((deadline - now) % 1000000000u)};
		struct pollfd wait = {(int)client->fd, POLLIN, 0};
		sys_ppoll(&wait, 1, &left, &(uint64_t){~0ull});
		long size = SYS6(__NR_recvfrom, client->fd, &buffer, sizeof buffer, 0, 0, 0);
		if (size > 0 && parse(client, &buffer.packet, (size_t)size, answer) &&
		    (answer->type == type || answer->type == other))
			return true;
	}
}

static uint32_t make_transaction(const uint8_t hardware[6])
{
	/* GRND_NONBLOCK: early in boot the pool may not be ready, and clock and card are distinct enough. */
	uint32_t value = (uint32_t)monotonic_ns();
	SYS3(__NR_getrandom, &value, sizeof value, 1);
	uint32_t card;
	memcpy(&card, hardware + 2, 4);
	return value ^ card;
}

long dhcp_ask(const char *interface, const uint8_t hardware[6], const char *hostname, struct lease *lease)
{
	static const uint16_t waits_ms[] = {500, 1000, 2000, 3000, 3500};
	struct client client = {.hardware = hardware, .hostname = hostname, .started = monotonic_ns()};
	struct answer answer;
	client.fd = open_socket(interface);
	if (client.fd < 0)
		return client.fd;
	client.transaction = make_transaction(hardware);
	long result = -ETIMEDOUT;
	for (size_t try = 0; try < sizeof waits_ms / sizeof *waits_ms && result; try++) {
		uint64_t deadline = monotonic_ns() + waits_ms[try] * 1000000ull;
		long error = send(&client, DISCOVER);
		if (error && error != -ENETUNREACH && error != -ENETDOWN) {
			result = error;
			break;
		}
		/* A proxyDHCP server offers boot files but no address: not for us. */
		do {
			if (!receive(&client, deadline, OFFER, OFFER, &answer))
				break;
			client.offered = answer.lease.address;
			client.server = answer.server;
		} while (!client.offered);
		if (!client.offered)
			continue;
		send(&client, REQUEST);
		if (receive(&client, deadline + 500000000u, ACK, NAK, &answer) && answer.type == ACK) {
			*lease = answer.lease;
			result = 0;
		}
		client.offered = 0;
	}
	sys_close((int)client.fd);
	return result;
}
