/* Links that are cut, and what is on its way. */
#include <inttypes.h>
#include <stdlib.h>

#include "apps/sim/engine/engine.h"
#include "io/virtual/net_internal.h"

void engine_write_links(const struct tp_sim *sim, FILE *out)
{
    bool first = true;

    (void)fputs("\"links_cut\":[", out);
    for (uint32_t from = 0; from < sim->node_count; from++) {
        for (uint32_t to = 0; to < sim->node_count; to++) {
            uint32_t a = sim->nodes[from]->host, b = sim->nodes[to]->host;

            if (from == to || a == 0 || b == 0 || !tp_way_at(sim->net, a, b)->broken)
                continue;
            (void)fprintf(out, "%s[%u,%u]", first ? "" : ",", from, to);
            first = false;
        }
    }
    (void)fputc(']', out);
}

static const char *kind_of(const struct tp_packet *packet, uint64_t bytes)
{
    switch (packet->type) {
    case TP_PACKET_SYN:
    case TP_PACKET_SYN_ACK:
        return "syn";
    case TP_PACKET_RST:
        return "rst";
    case TP_PACKET_DATAGRAM:
        return "data";
    default:
        if (bytes > 0)
            return "data";
        return packet->fin ? "fin" : "ack";
    }
}

/* New bytes that it brings, as things stand with its receiver. */
static uint64_t bytes_of(const struct tp_net *net, const struct tp_packet *packet)
{
    const struct tp_net_pipe *pipe;

    if (packet->type == TP_PACKET_DATAGRAM) {
        const struct tp_net_message *message = tp_pool_at(&net->messages, packet->message);

        return message->len;
    }
    if (packet->type != TP_PACKET_SEGMENT || !packet->data ||
        !tp_socket_is(net, packet->to, packet->to_serial) ||
        tp_socket_at(net, packet->to)->in == 0)
        return 0;
    pipe = tp_pipe_at(net, tp_socket_at(net, packet->to)->in);
    return packet->upto > pipe->arrived ? packet->upto - pipe->arrived : 0;
}

static int by_time(const void *a, const void *b)
{
    const struct tp_event *one = a, *other = b;

    if (one->at_ns != other->at_ns)
        return one->at_ns < other->at_ns ? -1 : 1;
    return one->order < other->order ? -1 : one->order > other->order;
}

static void write_message(const struct tp_net *net, const struct tp_event *event,
                          bool first, FILE *out)
{
    const struct tp_packet *packet = tp_pool_at(&net->packets, event->what);
    uint64_t bytes = bytes_of(net, packet);

    (void)fprintf(
        out,
        "%s{\"id\":%" PRIu64 ",\"from\":%u,\"to\":%u,\"kind\":\"%s\","
        "\"bytes\":%" PRIu64 ",\"at_ns\":%" PRIu64 "}",
        first ? "" : ",", event->order & UINT32_MAX, net->hosts[packet->from_host].node - 1,
        net->hosts[packet->to_host].node - 1, kind_of(packet, bytes), bytes, event->at_ns);
}

void engine_write_messages(const struct tp_sim *sim, FILE *out)
{
    const struct tp_world *world = sim->world;
    struct tp_event *events = malloc(((size_t)world->count + 1) * sizeof *events);
    uint32_t count = 0;

    tp_world_fill(sim->world);
    (void)fputs("\"messages\":[", out);
    for (uint32_t i = 0; events != NULL && i < world->count; i++) {
        const struct tp_event *event = &world->heap[i];
        const struct tp_packet *packet;

        if (event->party != sim->net->party)
            continue;
        packet = tp_pool_at(&sim->net->packets, event->what);
        if (packet->type < TP_PACKET_RETRY && packet->from_host != packet->to_host)
            events[count++] = *event;
    }
    if (count > 1)
        qsort(events, count, sizeof *events, by_time);
    for (uint32_t i = 0; i < count && i < ENGINE_MESSAGES; i++)
        write_message(sim->net, &events[i], i == 0, out);
    (void)fprintf(out, "],\"messages_more\":%u",
                  count > ENGINE_MESSAGES ? count - ENGINE_MESSAGES : 0);
    free(events);
}
