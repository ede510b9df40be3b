#include "net_fixture.h"

struct net_fixture n;

static uint8_t memory[1 << 20];

static struct tp_address target(uint32_t node)
{
    return n.net == NULL ? tp_address_ipv4(127, 0, 0, 1, 80) : n.address[node];
}

void n_reboot(uint32_t node)
{
    struct tp_virtual_io_config config = n.config;
    struct tp_address own = n.address[node];

    own.port = 0;
    config.size = sizeof config;
    config.node = node;
    config.tape = n.tape;
    config.disk = n.disk[node];
    config.net = n.net;
    config.addresses = &own;
    config.address_count = n.net == NULL ? 0 : 1;
    cr_assert(eq(int, tp_virtual_io_create(&config, &n.io[node]), 0));
}

void n_boot(uint32_t nodes, uint64_t seed)
{
    struct tp_tape *tape;

    cr_assert(eq(int, tp_tape_from_seed(seed, true, NULL, &tape), 0));
    n_boot_from(nodes, tape);
}

void n_boot_from(uint32_t nodes, struct tp_tape *tape)
{
    n_end();
    n.tape = tape;
    cr_assert(eq(int, tp_world_create(NULL, &n.world), 0));
    n.net_config.tape = n.tape;
    cr_assert(eq(int, tp_net_create(&n.net_config, n.world, &n.net), 0));
    for (uint32_t node = 0; node < nodes; node++) {
        n.address[node] = tp_address_ipv4(10, 0, 0, (uint8_t)(node + 1), 80);
        cr_assert(eq(int, tp_disk_create(NULL, &n.disk[node]), 0));
        n_reboot(node);
    }
}

void n_boot_alone(uint64_t seed)
{
    n_end();
    cr_assert(eq(int, tp_tape_from_seed(seed, true, NULL, &n.tape), 0));
    cr_assert(eq(int, tp_disk_create(NULL, &n.disk[0]), 0));
    n.config.net_config = &n.net_config;
    n_reboot(0);
}

void n_end(void)
{
    for (uint32_t node = 0; node < N_NODES; node++) {
        if (n.io[node] != NULL)
            tp_net_check(tp_virtual_io_net(n.io[node]));
        tp_virtual_io_destroy(n.io[node]);
        n.io[node] = NULL;
        if (n.disk[node] != NULL)
            tp_disk_check(n.disk[node]);
        tp_disk_destroy(n.disk[node]);
        n.disk[node] = NULL;
    }
    if (n.net != NULL)
        tp_net_check(n.net);
    tp_net_destroy(n.net);
    tp_world_destroy(n.world);
    tp_tape_destroy(n.tape);
    n.net = NULL;
    n.world = NULL;
    n.tape = NULL;
}

/* ------------------------------------------------------------------ operations */

uint64_t n_begin(uint32_t node, struct tp_request request)
{
    request.handle = ++n.handle;
    tp_io_submit(n.io[node], &request);
    return n.handle;
}

static void poll_all(void)
{
    for (uint32_t node = 0; node < N_NODES; node++) {
        if (n.io[node] != NULL && !tp_virtual_io_is_dead(n.io[node]))
            tp_io_poll(n.io[node]);
    }
}

static struct tp_world *world(void)
{
    return n.world != NULL ? n.world : tp_virtual_io_world(n.io[0]);
}

void n_run(uint64_t ns)
{
    uint64_t until_ns = tp_world_now_ns(world()) + ns;

    poll_all();
    while (tp_world_next_ns(world()) <= until_ns && !tp_world_is_stopped(world())) {
        tp_world_run(world(), tp_world_next_ns(world()));
        poll_all();
    }
    if (tp_world_now_ns(world()) < until_ns)
        tp_world_run(world(), until_ns);
    poll_all();
}

int32_t n_result(uint32_t node, uint64_t handle)
{
    struct tp_completion completion;
    struct tp_buf *buf;

    if (!tp_io_get_cqe(n.io[node], handle, &completion))
        return N_PENDING;
    buf = tp_io_recv_buf(n.io[node], &completion);
    if (buf != NULL)
        tp_io_give_back(n.io[node], buf);
    return completion.value;
}

int32_t n_wait(uint32_t node, uint64_t handle)
{
    int32_t value;

    poll_all();
    while ((value = n_result(node, handle)) == N_PENDING) {
        if (tp_world_next_ns(world()) == TP_NEVER || tp_world_is_stopped(world()))
            return N_PENDING;
        tp_world_run(world(), tp_world_next_ns(world()));
        poll_all();
    }
    return value;
}

int32_t n_do(uint32_t node, struct tp_request request)
{
    return n_wait(node, n_begin(node, request));
}

/* ------------------------------------------------------------------ connections */

struct tp_fd n_listen(uint32_t node, uint16_t backlog)
{
    struct tp_address at = target(node);
    struct tp_socket_options options = {.backlog = backlog};
    int32_t value = n_do(node, tp_request_listen(&at, options));

    cr_assert(value >= 0, "listen: %s", tp_errno_name(value));
    return tp_io_into_fd(n.io[node], value);
}

struct n_pair n_connect(uint32_t from, uint32_t to, struct tp_fd listener)
{
    struct tp_address at = target(to);
    struct tp_socket_options options = {.no_delay = false};
    uint64_t accept = n_begin(to, tp_request_accept(listener));
    int32_t client = n_do(from, tp_request_connect(&at, options));
    int32_t server = n_wait(to, accept);
    struct n_pair pair;

    cr_assert(client >= 0, "connect: %s", tp_errno_name(client));
    cr_assert(server >= 0, "accept: %s", tp_errno_name(server));
    pair.client = tp_io_into_fd(n.io[from], client);
    pair.server = tp_io_into_fd(n.io[to], server);
    return pair;
}

/* ------------------------------------------------------------------ bytes */

uint8_t n_byte(uint64_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

int32_t n_send_once(uint32_t node, struct tp_fd fd, uint64_t start, uint32_t len)
{
    struct tp_buf buf = tp_buf_full(memory, len);

    cr_assert(len <= sizeof memory);
    for (uint32_t i = 0; i < len; i++)
        memory[i] = n_byte(start + i);
    return n_do(node, tp_request_send(fd, &buf));
}

void n_send(uint32_t node, struct tp_fd fd, uint64_t start, uint32_t len)
{
    while (len > 0) {
        int32_t sent = n_send_once(node, fd, start, len);

        cr_assert(sent > 0, "send: %s", tp_errno_name(sent));
        start += (uint32_t)sent;
        len -= (uint32_t)sent;
    }
}

int32_t n_recv_once(uint32_t node, struct tp_fd fd, uint64_t start, uint32_t len)
{
    struct tp_buf buf = tp_buf_empty(memory, len);
    int32_t got;

    cr_assert(len <= sizeof memory);
    got = n_do(node, tp_request_recv(fd, &buf));
    for (int32_t i = 0; i < got; i++)
        cr_assert(eq(u8, memory[i], n_byte(start + (uint32_t)i)));
    return got;
}

int32_t n_recv(uint32_t node, struct tp_fd fd, uint64_t start, uint32_t len)
{
    uint32_t got = 0;

    while (got < len) {
        int32_t part = n_recv_once(node, fd, start + got, len - got);

        if (part <= 0)
            return part;
        got += (uint32_t)part;
    }
    return (int32_t)got;
}
