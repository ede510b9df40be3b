/* blocks_module.c - the functions of io/wasm/blocks.c, which the linker exports, and room
 * for them. */
#include "io/wasm/wasm.h"

enum { ROOM_BYTES = 1 << 18 };

TP_WASM_EXPORT(blocks_room) uint8_t *blocks_room(void);

uint8_t *blocks_room(void)
{
    static uint8_t room[ROOM_BYTES];

    return room;
}
