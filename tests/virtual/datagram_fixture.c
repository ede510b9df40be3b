#include "datagram_fixture.h"

const struct tp_socket_options d_plain;
struct datagram_fixture d;

/* ------------------------------------------------------------------ life */

struct d_socket d_bind(uint32_t node, struct tp_address address,
                       struct tp_socket_options options)
{
    struct d_socket made = {.address = address};
    int32_t value = n_do(node, tp_request_bind(&address, options));

    cr_assert(value >= 0, "bind: %s", tp_errno_name(value));
    made.fd = tp_io_into_fd(n.io[node], value);
    cr_assert(eq(i32, n_do(node, tp_request_local_address(made.fd, &made.address)), 0));
    return made;
}

void d_boot(uint64_t seed)
{
    n.handle = 0; /* it is in the trace */
    n_boot(2, seed);
    d.a = d_bind(0, n.address[0], d_plain);
    d.b = d_bind(1, n.address[1], d_plain);
}

void d_end(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

/* ------------------------------------------------------------------ send, receive */

void d_fill(uint8_t *ret_bytes, uint32_t number, uint32_t len)
{
    cr_assert(len <= D_LEN_MAX);
    for (uint32_t i = 0; i < len; i++)
        ret_bytes[i] = n_byte(number + i);
    if (len >= 4)
        memcpy(ret_bytes, &number, 4);
}

int32_t d_send(uint32_t node, struct tp_fd fd, const struct tp_address *to, uint32_t number,
               uint32_t len)
{
    struct tp_buf buf = tp_buf_full(d.memory, len);

    d_fill(d.memory, number, len);
    return n_do(node, tp_request_send_to(fd, &buf, to));
}

uint32_t d_len_of(uint32_t number)
{
    return 4 + number * 37 % (D_LEN_MAX - 4);
}

void d_send_number(uint32_t number)
{
    cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, number, d_len_of(number)),
                 (int32_t)d_len_of(number)));
}

static int32_t receive(uint32_t node, struct tp_fd fd, struct tp_datagram *ret_datagram)
{
    struct tp_buf buf = tp_buf_empty(d.memory, sizeof d.memory);
    uint64_t handle = n_begin(node, tp_request_recv_from(fd, &buf, ret_datagram));
    int32_t value = n_wait(node, handle);

    if (value == N_PENDING) {
        cr_assert(eq(i32, n_do(node, tp_request_cancel(handle)), 0));
        cr_assert(eq(i32, n_wait(node, handle), -ECANCELED));
    }
    return value;
}

int32_t d_recv(uint32_t node, struct tp_fd fd)
{
    struct tp_datagram datagram;

    return receive(node, fd, &datagram);
}

struct d_heard d_hear(void)
{
    struct d_heard heard = {.count = 0};
    struct tp_datagram datagram;
    uint32_t last = 0;
    int32_t value;

    while ((value = receive(1, d.b.fd, &datagram)) != N_PENDING) {
        uint32_t number;

        memcpy(&number, d.memory, 4);
        cr_assert(number < D_COUNT && value == (int32_t)d_len_of(number));
        for (uint32_t i = 4; i < d_len_of(number); i++)
            cr_assert(d.memory[i] == n_byte(number + i));
        cr_assert(tp_address_equal(&datagram.from, &d.a.address) && datagram.flags == 0);
        heard.times[number]++;
        cr_assert(heard.times[number] <= 2);
        heard.overtaken += number < last;
        last = number > last ? number : last;
        heard.count++;
    }
    return heard;
}

const struct tp_net_stats *d_stats(void)
{
    return tp_net_stats(n.net);
}
