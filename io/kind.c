#include "kind.h"

const struct tp_kind_info tp_kind_info[TP_KINDS] = {
#define TP_KIND_ROW(kind, name, traits) [kind] = {name, traits},
    TP_KIND_TABLE(TP_KIND_ROW)
#undef TP_KIND_ROW
};
