/** tests/unit/address.c - addresses as text and back, and what is no address. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "io/address.h"

enum { DEFAULT_PORT = 7379 };

static const char *text_of(const struct tp_address *address)
{
    static char text[TP_ADDRESS_TEXT];

    memset(text, '#', sizeof text);
    return tp_address_print(address, text);
}

/* What `text` reads as, printed; its errno's name when it is no address. */
static const char *again(const char *text)
{
    struct tp_address address;
    const int error = tp_address_parse(text, DEFAULT_PORT, &address);

    return error < 0 ? tp_errno_name(error) : text_of(&address);
}

struct pair {
    const char *text, *printed;
};

static void expect_pairs(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *printed = again(pairs[i].text);

        cr_assert(strcmp(printed, pairs[i].printed) == 0, "\"%s\" reads as %s, not %s",
                  pairs[i].text, printed, pairs[i].printed);
        if (printed[0] == 'E')
            continue;
        cr_assert(strcmp(again(pairs[i].printed), pairs[i].printed) == 0,
                  "%s is not read back", pairs[i].printed);
    }
}

#define expect_all(pairs) expect_pairs(pairs, sizeof(pairs) / sizeof(pairs)[0])

Test(address, of_ipv4_is_read_and_written)
{
    static const struct pair pairs[] = {
        {"127.0.0.1:80", "127.0.0.1:80"},
        {"127.0.0.1", "127.0.0.1:7379"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"255.255.255.255:65535", "255.255.255.255:65535"},
        {"10.20.30.40:00080", "10.20.30.40:80"},
    };

    expect_all(pairs);
}

Test(address, of_ipv4_that_is_malformed_is_refused)
{
    static const char *const texts[] = {
        "",
        ".",
        "1",
        "1.2",
        "1.2.3",
        "1.2.3.",
        "1.2.3.4.",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.1.1.256",
        "1.1.1.1000",
        "1..2.3",
        ".1.2.3.4",
        "-1.2.3.4",
        "+1.2.3.4",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4:80 ",
        "1.2.3.4: 80",
        "0x7f.0.0.1",
        "a.b.c.d",
        "1.2.3.4:",
        "1.2.3.4:x",
        "1.2.3.4:-1",
        "1.2.3.4:+1",
        "1.2.3.4:1x",
        "1.2.3.4::80",
        "1.2.3.4:1:2",
        "1.2.3.4:65536",
        "1.2.3.4:99999",
        "1.2.3.4/8",
        "1.2.3.4%1",
        "1.2.3.4:000080",
        /* A leading zero is octal to some readers: refused, as inet_pton(3) does. */
        "01.2.3.4",
        "1.2.3.00",
        "127.0.0.010",
        "1,2.3.4",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert(strcmp(again(texts[i]), "EINVAL") == 0, "\"%s\" reads as %s", texts[i],
                  again(texts[i]));
}

/* RFC 5952, section 4: lower case, no leading zeros, the longest run of zero groups is
 * shortened, of equally long ones the first, and never a single group. */
Test(address, of_ipv6_is_written_as_rfc_5952_has_it)
{
    static const struct pair pairs[] = {
        {"[::]:0", "[::]:0"},
        {"[::1]:80", "[::1]:80"},
        {"::1", "[::1]:7379"},
        {"[::1]", "[::1]:7379"},
        {"[0:0:0:0:0:0:0:0]:1", "[::]:1"},
        {"[2001:0DB8::0001]:1", "[2001:db8::1]:1"},
        {"[2001:db8:0:0:0:0:2:1]:1", "[2001:db8::2:1]:1"},
        {"[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"},
        {"[2001:db8::1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"},
        {"[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"},
        {"[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"},
        {"[0:0:1::]:1", "[0:0:1::]:1"},
        {"[1::]:1", "[1::]:1"},
        {"[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1"},
        {"[::2:3:4:5:6:7:8]:1", "[0:2:3:4:5:6:7:8]:1"},
        {"[::3:4:5:6:7:8]:1", "[::3:4:5:6:7:8]:1"},
        {"[1:2:3:4:5:6::]:1", "[1:2:3:4:5:6::]:1"},
        {"[FFFF:ffff:FfFf:ffff:ffff:ffff:ffff:ffff]:65535",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
        {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.1]:1"},
        {"[::ffff:c000:0201]:1", "[::ffff:192.0.2.1]:1"},
        {"[1:2:3:4:5:6:1.2.3.4]:1", "[1:2:3:4:5:6:102:304]:1"},
        {"[64:ff9b::192.0.2.33]:1", "[64:ff9b::c000:221]:1"},
        {"[::1.2.3.4]:1", "[::102:304]:1"},
        {"[fe80::1%2]:80", "[fe80::1%2]:80"},
        {"fe80::1%12", "[fe80::1%12]:7379"},
        {"[fe80::1%0]:80", "[fe80::1]:80"},
        {"[fe80::1%4294967295]:80", "[fe80::1%4294967295]:80"},
    };

    expect_all(pairs);
}

Test(address, of_ipv6_that_is_malformed_is_refused)
{
    static const char *const texts[] = {
        "[",
        "[]",
        "[]:1",
        "[::1",
        "[::1]80",
        "[::1]:",
        "[::1]:65536",
        "[::1]:1 ",
        "[::1]x",
        "[[::1]]:1",
        ":",
        ":::",
        ":::1",
        "1:::2",
        "1::2::3",
        "::1::",
        ":1::",
        ":1",
        "1:",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "1:2:3:4:5:6:7:8:",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1::2:3:4:5:6:7:8",
        "1::2:",
        "12345::",
        "0::00000",
        "g::",
        "::g",
        "::-1",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:1.2.3.4",
        "::1.2.3",
        "::1.2.3.4.5",
        "::1.2.3.256",
        "::1.2.3.4:5",
        "::01.2.3.4",
        "::a.2.3.4",
        "::1234.2.3.4",
        "fe80::1%",
        "fe80::1%x",
        "fe80::1%eth0",
        "fe80::1%4294967296",
        "fe80::1%99999999999",
        "fe80::1%1%2",
        "[fe80::1]%1:80",
        "::1]",
        "::1 ",
        " ::1",
        "localhost",
        "localhost:80",
        "7379",
        ":7379",
        "*:7379",
        "unix",
        "UNIX:/a",
        "abcd",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert(strcmp(again(texts[i]), "EINVAL") == 0, "\"%s\" reads as %s", texts[i],
                  again(texts[i]));
}

Test(address, of_a_path_has_at_most_107_bytes)
{
    static const struct pair pairs[] = {
        {"unix:/run/app.sock", "unix:/run/app.sock"},
        {"unix:a", "unix:a"},
        {"unix:127.0.0.1:80", "unix:127.0.0.1:80"},
        {"unix:", "EINVAL"},
    };
    char text[5 + TP_UNIX_PATH_MAX + 1] = "unix:";
    struct tp_address address;

    expect_all(pairs);
    memset(text + 5, 'x', TP_UNIX_PATH_MAX - 1);
    cr_assert(eq(int, tp_address_parse(text, 0, &address), 0));
    cr_assert(eq(str, (char *)(uintptr_t)text_of(&address), text));
    cr_assert(eq(u32, address.family, TP_ADDRESS_UNIX));
    cr_assert(eq(u32, address.port, 0), "the default port is none of a path's");
    text[5 + TP_UNIX_PATH_MAX - 1] = 'x';
    cr_assert(eq(int, tp_address_parse(text, 0, &address), -ENAMETOOLONG));
}

Test(address, that_cannot_be_read_leaves_the_result_alone)
{
    static const char *const texts[] = {"1.2.3.4:x", "[::1]:x", "::1%x", "unix:"};
    struct tp_address address, before;

    memset(&address, 0x5a, sizeof address);
    before = address;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_assert(lt(int, tp_address_parse(texts[i], 1, &address), 0));
        cr_assert(memcmp(&address, &before, sizeof address) == 0, "%s", texts[i]);
    }
}

/* Addresses are hashed and compared as bytes: what is not used is zero. */
Test(address, that_was_read_has_no_bytes_of_chance)
{
    struct tp_address read, made;

    memset(&read, 0x5a, sizeof read);
    made = tp_address_ipv4(1, 2, 3, 4, 80);
    cr_assert(eq(int, tp_address_parse("1.2.3.4:80", 0, &read), 0));
    cr_assert(memcmp(&read, &made, sizeof read) == 0);
    memset(&read, 0x5a, sizeof read);
    made = tp_address_any(80);
    cr_assert(eq(int, tp_address_parse("[::]:80", 0, &read), 0));
    cr_assert(memcmp(&read, &made, sizeof read) == 0);
    memset(&read, 0x5a, sizeof read);
    memset(&made, 0, sizeof made);
    made.family = TP_ADDRESS_UNIX;
    made.at.path[0] = 'a';
    cr_assert(eq(int, tp_address_parse("unix:a", 80, &read), 0));
    cr_assert(memcmp(&read, &made, sizeof read) == 0);
}

static struct tp_address parsed(const char *text)
{
    struct tp_address address;

    cr_assert(eq(int, tp_address_parse(text, 1, &address), 0), "%s", text);
    return address;
}

Test(address, equals_itself_and_no_other)
{
    static const char *const texts[] = {
        "1.2.3.4:5", "1.2.3.4:6", "1.2.3.5:5",          "[::1]:5", "[::1]:6", "[::2]:5",
        "[::1%3]:5", "[::1%4]:5", "[::ffff:1.2.3.4]:5", "unix:a",  "unix:b",  "unix:aa",
    };
    const size_t count = sizeof texts / sizeof texts[0];
    struct tp_address unnamed;

    memset(&unnamed, 0, sizeof unnamed);
    for (size_t i = 0; i < count; i++) {
        struct tp_address a = parsed(texts[i]);

        for (size_t j = 0; j < count; j++) {
            struct tp_address b = parsed(texts[j]);

            cr_assert(eq(int, tp_address_equal(&a, &b), i == j), "%s and %s", texts[i],
                      texts[j]);
        }
        cr_assert(not(tp_address_equal(&a, &unnamed)));
        a.reserved = 7; /* says nothing about the place */
        {
            struct tp_address b = parsed(texts[i]);

            cr_assert(tp_address_equal(&a, &b), "%s", texts[i]);
        }
    }
    cr_assert(tp_address_equal(&unnamed, &unnamed));
    cr_assert(eq(str, (char *)(uintptr_t)text_of(&unnamed), "unix:"));
}

/* What is not said to be loopback asks for a password: in doubt it is not. */
Test(address, is_loopback_when_only_this_machine_reaches_it)
{
    static const char *const yes[] = {"127.0.0.1:1", "127.255.255.254:1", "[::1]:1",
                                      "unix:a"};
    static const char *const no[] = {"0.0.0.0:1", "128.0.0.1:1",   "126.255.255.255:1",
                                     "[::]:1",    "[::2]:1",       "[fe80::1%1]:1",
                                     "10.0.0.1",  "192.168.0.1:1", "[2001:db8::1]:1"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        struct tp_address address = parsed(yes[i]);

        cr_assert(tp_address_is_loopback(&address), "%s", yes[i]);
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        struct tp_address address = parsed(no[i]);

        cr_assert(not(tp_address_is_loopback(&address)), "%s", no[i]);
    }
}

/* Every address that can be is read back as itself. */
Test(address, of_any_bytes_comes_back)
{
    uint64_t state = 1;

    for (uint32_t round = 0; round < 20000; round++) {
        struct tp_address address, back;

        memset(&address, 0, sizeof address);
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        address.family = (state >> 40 & 1) != 0 ? TP_ADDRESS_IPV6 : TP_ADDRESS_IPV4;
        address.port = (uint16_t)(state >> 48);
        if (address.family == TP_ADDRESS_IPV6 && (state >> 41 & 3) == 0)
            address.scope = (uint32_t)(state >> 32);
        for (uint32_t i = 0; i < (address.family == TP_ADDRESS_IPV6 ? 16 : 4); i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            if ((state >> 60) < 9) /* zeros are what the short form is about */
                address.at.ipv6[i] = (uint8_t)(state >> 50);
        }
        cr_assert(eq(int, tp_address_parse(text_of(&address), 0, &back), 0), "%s",
                  text_of(&address));
        cr_assert(memcmp(&back, &address, sizeof back) == 0, "%s", text_of(&address));
    }
}
