#include "address.h"

#include <stdio.h>
#include <string.h>

/* What is left of a text that is being read. */
struct reader {
    const char *at;
};

static bool take(struct reader *reader, char wanted)
{
    if (*reader->at != wanted)
        return false;
    reader->at++;
    return true;
}

/* A number of at most `digits_max` digits in `base`, up to `max`; false if there is none.
 */
static bool take_number(struct reader *reader, uint32_t base, uint32_t digits_max,
                        uint32_t max, uint32_t *ret_value)
{
    uint64_t value = 0;
    uint32_t digits = 0;

    for (;; reader->at++, digits++) {
        const char c = *reader->at;
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (base == 16 && c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (base == 16 && c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            break;
        if (digits == digits_max)
            return false;
        value = value * base + digit;
    }
    if (digits == 0 || value > max)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

/* A leading zero is refused, as inet_pton(3) does: to some it means octal. */
static bool take_ipv4(struct reader *reader, uint8_t ret_bytes[4])
{
    for (uint32_t i = 0; i < 4; i++) {
        const char *first;
        uint32_t value;

        if (i > 0 && !take(reader, '.'))
            return false;
        first = reader->at;
        if (!take_number(reader, 10, 3, 255, &value) ||
            (*first == '0' && reader->at > first + 1))
            return false;
        ret_bytes[i] = (uint8_t)value;
    }
    return true;
}

/* Groups of 16 bits; "::" stands for as many zeros as are missing, and the last two groups
 * may be an IPv4 address (RFC 4291, 2.2). */
static bool take_ipv6(struct reader *reader, uint8_t ret_bytes[16])
{
    uint8_t bytes[16];
    uint32_t used = 0, gap = UINT32_MAX;

    if (reader->at[0] == ':' && reader->at[1] == ':') {
        reader->at += 2;
        gap = 0;
    }
    while (used < 16) {
        const struct reader before = *reader;
        uint32_t value;

        if (!take_number(reader, 16, 4, 0xffff, &value)) {
            if (used == gap)
                break; /* "::" may end it */
            return false;
        }
        if (*reader->at == '.') {
            *reader = before;
            if (used > 12 || !take_ipv4(reader, bytes + used))
                return false;
            used += 4;
            break;
        }
        bytes[used++] = (uint8_t)(value >> 8);
        bytes[used++] = (uint8_t)value;
        if (*reader->at != ':' || used == 16)
            break;
        reader->at++;
        if (*reader->at == ':') {
            if (gap != UINT32_MAX)
                return false;
            gap = used;
            reader->at++;
        }
    }
    if (gap == UINT32_MAX ? used != 16 : used > 14)
        return false;
    if (gap == UINT32_MAX)
        gap = used;
    memset(ret_bytes, 0, 16);
    memcpy(ret_bytes, bytes, gap);
    memcpy(ret_bytes + 16 - (used - gap), bytes + gap, used - gap);
    return true;
}

static struct tp_address of_family(enum tp_address_family family, uint16_t port)
{
    struct tp_address address;

    memset(&address, 0, sizeof address); /* no padding of chance: addresses are hashed */
    address.family = (uint16_t)family;
    address.port = port;
    return address;
}

struct tp_address tp_address_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
    struct tp_address address = of_family(TP_ADDRESS_IPV4, port);

    address.at.ipv4[0] = a;
    address.at.ipv4[1] = b;
    address.at.ipv4[2] = c;
    address.at.ipv4[3] = d;
    return address;
}

struct tp_address tp_address_any(uint16_t port)
{
    return of_family(TP_ADDRESS_IPV6, port);
}

static int parse_path(const char *path, struct tp_address *ret_address)
{
    const size_t len = strnlen(path, TP_UNIX_PATH_MAX);
    struct tp_address address = of_family(TP_ADDRESS_UNIX, 0);

    if (len == 0)
        return -EINVAL;
    if (len == TP_UNIX_PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(address.at.path, path, len);
    *ret_address = address;
    return 0;
}

/* ":port" or the end. */
static bool take_port(struct reader *reader, uint16_t *port)
{
    uint32_t value;

    if (*reader->at == '\0')
        return true;
    if (!take(reader, ':') || !take_number(reader, 10, 5, 65535, &value))
        return false;
    *port = (uint16_t)value;
    return *reader->at == '\0';
}

int tp_address_parse(const char *text, uint16_t default_port,
                     struct tp_address *ret_address)
{
    struct reader reader = {text};
    struct tp_address address;

    tp_assert(text != NULL);
    if (strncmp(text, "unix:", 5) == 0)
        return parse_path(text + 5, ret_address);
    if (text[0] == '[') {
        address = of_family(TP_ADDRESS_IPV6, default_port);
        reader.at++;
        if (!take_ipv6(&reader, address.at.ipv6) ||
            (take(&reader, '%') &&
             !take_number(&reader, 10, 10, UINT32_MAX, &address.scope)) ||
            !take(&reader, ']') || !take_port(&reader, &address.port))
            return -EINVAL;
    } else if (memchr(text, '.', strcspn(text, ":")) != NULL) {
        address = of_family(TP_ADDRESS_IPV4, default_port);
        if (!take_ipv4(&reader, address.at.ipv4) || !take_port(&reader, &address.port))
            return -EINVAL;
    } else { /* IPv6 without brackets has no port */
        address = of_family(TP_ADDRESS_IPV6, default_port);
        if (!take_ipv6(&reader, address.at.ipv6) ||
            (take(&reader, '%') &&
             !take_number(&reader, 10, 10, UINT32_MAX, &address.scope)) ||
            *reader.at != '\0')
            return -EINVAL;
    }
    *ret_address = address;
    return 0;
}

/* The longest run of zero groups, the first of equals; RFC 5952, 4.2. */
static void find_gap(const uint16_t groups[8], uint32_t *ret_start, uint32_t *ret_len)
{
    *ret_start = 8;
    *ret_len = 1; /* a single group is not shortened */
    for (uint32_t start = 0; start < 8; start++) {
        uint32_t len = 0;

        while (start + len < 8 && groups[start + len] == 0)
            len++;
        if (len > *ret_len) {
            *ret_start = start;
            *ret_len = len;
        }
    }
}

static int print_ipv6(const uint8_t bytes[16], char *ret_text, size_t size_bytes)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    uint16_t groups[8];
    uint32_t gap, gap_len;
    int used = 0;

    if (memcmp(bytes, mapped, sizeof mapped) == 0)
        return snprintf(ret_text, size_bytes, "::ffff:%u.%u.%u.%u", bytes[12], bytes[13],
                        bytes[14], bytes[15]);
    for (uint32_t i = 0; i < 8; i++)
        groups[i] = (uint16_t)(bytes[(size_t)2 * i] << 8 | bytes[(size_t)2 * i + 1]);
    find_gap(groups, &gap, &gap_len);
    for (uint32_t i = 0; i < 8; i++) {
        if (i == gap) {
            used += snprintf(ret_text + used, size_bytes - (size_t)used, "::");
            i += gap_len - 1;
            continue;
        }
        used += snprintf(ret_text + used, size_bytes - (size_t)used, "%s%x",
                         i == 0 || i == gap + gap_len ? "" : ":", groups[i]);
    }
    return used;
}

const char *tp_address_print(const struct tp_address *address,
                             char ret_text[TP_ADDRESS_TEXT])
{
    const uint8_t *ip = address->at.ipv4;
    int used;

    switch ((enum tp_address_family)address->family) {
    case TP_ADDRESS_IPV4:
        (void)snprintf(ret_text, TP_ADDRESS_TEXT, "%u.%u.%u.%u:%u", ip[0], ip[1], ip[2],
                       ip[3], address->port);
        return ret_text;
    case TP_ADDRESS_IPV6:
        ret_text[0] = '[';
        used = 1 + print_ipv6(address->at.ipv6, ret_text + 1, TP_ADDRESS_TEXT - 1);
        if (address->scope != 0)
            used += snprintf(ret_text + used, TP_ADDRESS_TEXT - (size_t)used, "%%%u",
                             address->scope);
        (void)snprintf(ret_text + used, TP_ADDRESS_TEXT - (size_t)used, "]:%u",
                       address->port);
        return ret_text;
    case TP_ADDRESS_UNIX:
        (void)snprintf(ret_text, TP_ADDRESS_TEXT, "unix:%.*s", TP_UNIX_PATH_MAX - 1,
                       address->at.path);
        return ret_text;
    case TP_ADDRESS_NONE:
        break;
    }
    (void)snprintf(ret_text, TP_ADDRESS_TEXT, "unix:");
    return ret_text;
}

bool tp_address_equal(const struct tp_address *a, const struct tp_address *b)
{
    if (a->family != b->family)
        return false;
    switch ((enum tp_address_family)a->family) {
    case TP_ADDRESS_IPV4:
        return a->port == b->port && memcmp(a->at.ipv4, b->at.ipv4, 4) == 0;
    case TP_ADDRESS_IPV6:
        return a->port == b->port && a->scope == b->scope &&
               memcmp(a->at.ipv6, b->at.ipv6, 16) == 0;
    case TP_ADDRESS_UNIX:
        return strncmp(a->at.path, b->at.path, TP_UNIX_PATH_MAX) == 0;
    case TP_ADDRESS_NONE:
        break;
    }
    return true;
}

bool tp_address_is_loopback(const struct tp_address *address)
{
    static const uint8_t one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    switch ((enum tp_address_family)address->family) {
    case TP_ADDRESS_IPV4:
        return address->at.ipv4[0] == 127;
    case TP_ADDRESS_IPV6:
        return memcmp(address->at.ipv6, one, sizeof one) == 0;
    case TP_ADDRESS_UNIX:
    case TP_ADDRESS_NONE:
        break;
    }
    return true;
}
