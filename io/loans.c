#include "loans.h"

/* Without TP_CHECKED the header is all there is. */
#ifdef TP_CHECKED

#include <string.h>

#include "hash.h"

#if defined(__SANITIZE_ADDRESS__)
#define TP_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TP_ASAN 1
#endif
#endif

#ifdef TP_ASAN
#include <sanitizer/asan_interface.h>
#include <stdatomic.h>

/* From sanitizer/allocator_interface.h, which GCC does not install. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *,
                                                                size_t),
                                              void (*on_free)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *memory);
#endif

/* A loan is a node of a treap ordered by address, in which each node knows the farthest end
 * below it, and of a hash table by handle. Checked builds pay O(log n) an operation for it.
 */
struct loan {
    uint64_t handle;
    uintptr_t start, end;
    uintptr_t farthest;    /* the largest `end` in the subtree */
    uintptr_t farthest_in; /* the same, of in loans: 0 where there are none */
    uint64_t checksum;     /* of an out loan */
    uint32_t left, right;
    uint32_t priority;
    uint32_t next; /* in the hash chain, or in the free list */
    uint32_t kind;
    uint32_t in; /* the world writes it */
};

struct tp_loans {
    struct tp_io *io;
    struct tp_loans *next_of_thread;
    const struct tp_allocator *allocator;
    struct loan *loans; /* [0] is the empty tree */
    uint32_t *chains;
    uint32_t capacity, mask;
    uint32_t root, first_free, fresh;
};

/* The lists of this thread, for the free() hook, which is given an address only. */
static _Thread_local struct tp_loans *loans_of_thread;

static void set_poison(const struct loan *loan, bool on)
{
#ifdef TP_ASAN
    uintptr_t start = (loan->start + 7) & ~(uintptr_t)7;
    uintptr_t end = loan->end & ~(uintptr_t)7;

    if (loan->in == 0 || start >= end)
        return;
    if (on)
        __asan_poison_memory_region((void *)start, end - start);
    else
        __asan_unpoison_memory_region((void *)start, end - start);
#else
    (void)loan, (void)on;
#endif
}

static uint64_t checksum(const struct loan *loan)
{
    return tp_hash((const void *)loan->start, loan->end - loan->start, 0);
}

/* ------------------------------------------------------------------ the treap */

static uintptr_t larger(uintptr_t a, uintptr_t b)
{
    return a > b ? a : b;
}

static void refresh(struct tp_loans *loans, uint32_t at)
{
    struct loan *loan = &loans->loans[at];
    const struct loan *left = &loans->loans[loan->left];
    const struct loan *right = &loans->loans[loan->right];

    loan->farthest = larger(loan->end, larger(left->farthest, right->farthest));
    loan->farthest_in = larger(loan->in != 0 ? loan->end : 0,
                               larger(left->farthest_in, right->farthest_in));
}

static uint32_t merge(struct tp_loans *loans, uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    if (loans->loans[a].priority > loans->loans[b].priority) {
        loans->loans[a].right = merge(loans, loans->loans[a].right, b);
        refresh(loans, a);
        return a;
    }
    loans->loans[b].left = merge(loans, a, loans->loans[b].left);
    refresh(loans, b);
    return b;
}

static bool before(const struct tp_loans *loans, uint32_t a, uint32_t b)
{
    const struct loan *x = &loans->loans[a], *y = &loans->loans[b];

    if (x->start != y->start)
        return x->start < y->start;
    return x->handle != y->handle ? x->handle < y->handle : a < b;
}

/* Splits the tree into what is ordered before `node` and the rest. */
static void split(struct tp_loans *loans, uint32_t at, uint32_t node, uint32_t *ret_a,
                  uint32_t *ret_b)
{
    if (at == 0) {
        *ret_a = *ret_b = 0;
    } else if (before(loans, at, node)) {
        split(loans, loans->loans[at].right, node, &loans->loans[at].right, ret_b);
        refresh(loans, at);
        *ret_a = at;
    } else {
        split(loans, loans->loans[at].left, node, ret_a, &loans->loans[at].left);
        refresh(loans, at);
        *ret_b = at;
    }
}

static void tree_insert(struct tp_loans *loans, uint32_t node)
{
    uint32_t a, b;

    split(loans, loans->root, node, &a, &b);
    refresh(loans, node);
    loans->root = merge(loans, merge(loans, a, node), b);
}

static uint32_t tree_remove(struct tp_loans *loans, uint32_t at, uint32_t node)
{
    tp_assert(at != 0);
    if (at == node)
        return merge(loans, loans->loans[at].left, loans->loans[at].right);
    if (before(loans, node, at))
        loans->loans[at].left = tree_remove(loans, loans->loans[at].left, node);
    else
        loans->loans[at].right = tree_remove(loans, loans->loans[at].right, node);
    refresh(loans, at);
    return at;
}

/* A loan that overlaps [start, end), an in loan only when `in_only`; 0: none. */
static uint32_t overlapping(const struct tp_loans *loans, uint32_t at, uintptr_t start,
                            uintptr_t end, bool in_only)
{
    const struct loan *loan = &loans->loans[at];
    uint32_t found;

    if (at == 0 || (in_only ? loan->farthest_in : loan->farthest) <= start)
        return 0;
    found = overlapping(loans, loan->left, start, end, in_only);
    if (found != 0)
        return found;
    if (loan->start < end && loan->end > start && (!in_only || loan->in != 0))
        return at;
    return loan->start >= end ? 0 : overlapping(loans, loan->right, start, end, in_only);
}

/* ------------------------------------------------------------------ by handle */

static uint32_t *chain(struct tp_loans *loans, uint64_t handle)
{
    return &loans->chains[(uint32_t)((handle * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
                          loans->mask];
}

static uint32_t find(struct tp_loans *loans, uint64_t handle)
{
    uint32_t at = *chain(loans, handle);

    while (at != 0 && loans->loans[at].handle != handle)
        at = loans->loans[at].next;
    return at;
}

static void unchain(struct tp_loans *loans, uint32_t node)
{
    uint32_t *at = chain(loans, loans->loans[node].handle);

    while (*at != node)
        at = &loans->loans[*at].next;
    *at = loans->loans[node].next;
}

/* ------------------------------------------------------------------ reports */

static const char *submitter(const struct tp_loans *loans, uint64_t handle)
{
    const struct tp_io *io = loans->io;

    return io->describe == NULL ? "" : io->describe(io->describe_context, handle);
}

static void report_overlap(struct tp_loans *loans, const struct loan *old,
                           const struct loan *new)
{
    char first[256];
    size_t i = 0;

    /* The description lives in one static place per scheduler: keep the first. */
    for (const char *c = submitter(loans, old->handle); *c != '\0' && i < sizeof first - 1;
         c++)
        first[i++] = *c;
    first[i] = '\0';
    tp_stopf(__FILE__, __LINE__,
             "memory of %s (handle %llu, %s loan%s) overlaps that of %s (handle %llu, %s "
             "loan%s), "
             "which is still on loan",
             tp_kind_info[new->kind].name, (unsigned long long)new->handle,
             new->in ? "in" : "out", submitter(loans, new->handle),
             tp_kind_info[old->kind].name, (unsigned long long)old->handle,
             old->in ? "in" : "out", first);
}

#ifdef TP_ASAN
static void on_free(const volatile void *memory)
{
    uintptr_t start = (uintptr_t)memory;
    uintptr_t end;

    if (memory == NULL || loans_of_thread == NULL)
        return;
    end = start + __sanitizer_get_allocated_size(memory);
    for (struct tp_loans *loans = loans_of_thread; loans != NULL;
         loans = loans->next_of_thread) {
        uint32_t at = overlapping(loans, loans->root, start, end, false);

        if (at != 0)
            tp_stopf(__FILE__, __LINE__, "free() of memory on loan to %s (handle %llu%s)",
                     tp_kind_info[loans->loans[at].kind].name,
                     (unsigned long long)loans->loans[at].handle,
                     submitter(loans, loans->loans[at].handle));
    }
}

static void on_malloc(const volatile void *memory, size_t size)
{
    (void)memory, (void)size;
}

static void install_hooks(void)
{
    static atomic_flag installed = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&installed))
        (void)__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
#else
static void install_hooks(void)
{
}
#endif

/* ------------------------------------------------------------------ life */

struct tp_loans *tp_loans_create(struct tp_io *io, uint32_t loans_max)
{
    const struct tp_allocator *allocator = io->allocator;
    struct tp_loans *loans = tp_alloc(allocator, sizeof *loans, 16);
    uint32_t chains = 8;

    if (loans == NULL)
        return NULL;
    while (chains < loans_max)
        chains *= 2;
    loans->io = io;
    loans->allocator = allocator;
    loans->capacity = loans_max + 1; /* send_bufs may need more */
    loans->mask = chains - 1;
    loans->fresh = 1;
    loans->loans = tp_alloc(allocator, (size_t)loans->capacity * sizeof *loans->loans, 16);
    loans->chains = tp_alloc(allocator, (size_t)chains * sizeof *loans->chains, 16);
    loans->next_of_thread = loans_of_thread;
    loans_of_thread = loans;
    if (loans->loans == NULL || loans->chains == NULL) {
        tp_loans_destroy(loans);
        return NULL;
    }
    install_hooks();
    return loans;
}

void tp_loans_set_io(struct tp_loans *loans, struct tp_io *io)
{
    loans->io = io;
}

void tp_loans_destroy(struct tp_loans *loans)
{
    struct tp_loans **link = &loans_of_thread;

    if (loans == NULL)
        return;
    if (loans->loans != NULL && loans->chains != NULL)
        tp_loans_forget(loans);
    while (*link != NULL && *link != loans)
        link = &(*link)->next_of_thread;
    if (*link != NULL)
        *link = loans->next_of_thread;
    tp_free(loans->allocator, loans->loans, loans->capacity * sizeof *loans->loans, 16);
    tp_free(loans->allocator, loans->chains, (loans->mask + 1) * sizeof *loans->chains, 16);
    tp_free(loans->allocator, loans, sizeof *loans, 16);
}

/* Most operations lend one piece of memory; room for all that send_bufs could lend would be
 * many times that, and nearly always unused. */
static void grow(struct tp_loans *loans)
{
    size_t bytes = (size_t)loans->capacity * sizeof *loans->loans;
    struct loan *more = tp_alloc(loans->allocator, 2 * bytes, 16);

    if (more == NULL)
        tp_stop(__FILE__, __LINE__, "no memory for the list of loans");
    memcpy(more, loans->loans, bytes);
    tp_free(loans->allocator, loans->loans, bytes, 16);
    loans->loans = more;
    loans->capacity *= 2;
}

static void begin(struct tp_loans *loans, const struct tp_request *request,
                  const void *memory, uint32_t len_bytes)
{
    struct loan *loan;
    uint32_t node, other, *first;

    if (len_bytes == 0)
        return;
    node = loans->first_free != 0 ? loans->first_free : loans->fresh++;
    if (node == loans->capacity)
        grow(loans);
    loan = &loans->loans[node];
    if (node == loans->first_free)
        loans->first_free = loan->next;
    loan->handle = request->handle;
    loan->start = (uintptr_t)memory;
    loan->end = loan->start + len_bytes;
    loan->left = loan->right = 0;
    loan->priority = (uint32_t)((request->handle * UINT64_C(0xd6e8feb86659fd93)) >> 32);
    loan->kind = request->kind;
    loan->in = (tp_kind_info[request->kind].traits & TP_LENDS_IN) != 0;
    other = overlapping(loans, loans->root, loan->start, loan->end, loan->in == 0);
    if (other != 0)
        report_overlap(loans, &loans->loans[other], loan);
    loan->checksum = loan->in != 0 ? 0 : checksum(loan);
    tree_insert(loans, node);
    first = chain(loans, loan->handle);
    loan->next = *first;
    *first = node;
    set_poison(loan, true);
}

void tp_loans_begin(struct tp_loans *loans, const struct tp_request *request)
{
    uint32_t traits = tp_kind_info[request->kind].traits;

    if ((traits & (TP_LENDS_IN | TP_LENDS_OUT)) == 0)
        return;
    if (request->kind != TP_SEND_BUFS) {
        begin(loans, request, request->a.memory, request->len);
        if ((traits & TP_LENDS_DATAGRAM) != 0)
            begin(loans, request, request->b.datagram, sizeof *request->b.datagram);
        return;
    }
    begin(loans, request, request->a.bufs,
          request->len * (uint32_t)sizeof *request->a.bufs);
    for (uint32_t i = 0; i < request->len; i++)
        begin(loans, request, request->a.bufs[i].data, request->a.bufs[i].len);
}

static void end(struct tp_loans *loans, uint32_t node)
{
    struct loan *loan = &loans->loans[node];

    set_poison(loan, false);
    loans->root = tree_remove(loans, loans->root, node);
    unchain(loans, node);
    loan->handle = 0;
    loan->next = loans->first_free;
    loans->first_free = node;
}

void tp_loans_end(struct tp_loans *loans, uint64_t handle)
{
    uint32_t node;

    while ((node = find(loans, handle)) != 0) { /* an operation may have several */
        if (loans->loans[node].in == 0 &&
            checksum(&loans->loans[node]) != loans->loans[node].checksum)
            tp_stopf(__FILE__, __LINE__,
                     "memory on loan to %s (handle %llu%s) was changed before its "
                     "completion was claimed",
                     tp_kind_info[loans->loans[node].kind].name, (unsigned long long)handle,
                     submitter(loans, handle));
        end(loans, node);
    }
}

void tp_loans_forget(struct tp_loans *loans)
{
    while (loans->root != 0)
        end(loans, loans->root);
}

static void set_poison_of_all(struct tp_loans *loans, uint64_t handle, bool on)
{
    for (uint32_t node = *chain(loans, handle); node != 0; node = loans->loans[node].next) {
        if (loans->loans[node].handle == handle)
            set_poison(&loans->loans[node], on);
    }
}

void tp_loans_open(struct tp_io *io, uint64_t handle)
{
    set_poison_of_all(io->loans, handle, false);
}

void tp_loans_close(struct tp_io *io, uint64_t handle)
{
    set_poison_of_all(io->loans, handle, true);
}

#endif
