#!/usr/bin/env bash
# exports.sh PREFIX: the shared libraries export what the installed headers declare, no more and no
# less; tempest carries nothing of tempest-sim; and neither has a mutable global.
set -u
prefix=$1
lib=$(dirname "$(find "$prefix" -name libtempest.so)")
work=$(dirname "$prefix")/exports
rm -rf "$work" && mkdir "$work" || exit 1
failed=0

fail() {
    echo "$1:"
    sed 's/^/    /' "$2"
    failed=1
}

# exported LIBRARY [TYPES]: names of its dynamic symbols, of these types of nm's only.
exported() {
    nm -D --defined-only "$lib/lib$1.so" | awk -v types="${2-.}" '$2 ~ "^[" types "]$" || types == "." { print $3 }' |
        sed 's/@.*//' | sort -u
}

# The functions that the headers declare with TP_EXPORT, by GCC's own account of where which stands.
# Others are parts of structs that must be complete, and not for users to call.
declared() {
    local file line name
    { cd "$prefix/include" && find tempest -name '*.h' | sed 's/.*/#include <&>/'; } >"$work/all.c"
    gcc -std=c11 -I"$prefix/include" -c -o "$work/all.o" -aux-info "$work/all.txt" "$work/all.c" || exit 1
    sed -nE "s,^/\* ($prefix/include/tempest/[^*:]*):([0-9]+):[NO]C \*/ extern [^(]*[ *](tp_[a-z0-9_]+) \(.*,\1 \2 \3,p" "$work/all.txt" |
        while read -r file line name; do
            # What stands before the name, as far back as the end of whatever came before.
            head -n "$line" "$file" | tail -n 6 | tr '\n' ' ' | sed -E "s,.*\*/,,; s,\<$name\)? *\(.*,,; s,.*[;}],," | grep -qw TP_EXPORT && echo "$name"
        done | sort -u
}

command -v gcc >/dev/null || { echo "skipped: there is no gcc, which lists what headers declare"; exit 77; }
{ exported tempest; exported tempest-sim; } | sort >"$work/exported"
{ exported tempest TWi; exported tempest-sim TWi; } | sort >"$work/functions"
declared >"$work/declared"
[ -s "$work/declared" ] || { echo "found no declaration"; exit 1; }

grep -v '^tp_' "$work/exported" >"$work/out" && fail "exported, and does not start with tp_" "$work/out"
comm -23 "$work/functions" "$work/declared" >"$work/out"
[ ! -s "$work/out" ] || fail "exported, and in no installed header" "$work/out"
comm -13 "$work/functions" "$work/declared" >"$work/out"
[ ! -s "$work/out" ] || fail "in an installed header, and not exported" "$work/out"
comm -12 <(exported tempest) <(exported tempest-sim) >"$work/out"
[ ! -s "$work/out" ] || fail "exported by both libraries" "$work/out"
# Data, too, must be declared where users see it.
{
    cat "$work/all.c"
    echo "const void *data[] = {"
    comm -23 "$work/exported" "$work/functions" | sed 's/.*/    \&&,/'
    echo "    0};"
} >"$work/data.c"
gcc -std=c11 -I"$prefix/include" -fsyntax-only "$work/data.c" || failed=1

# of ARCHIVE: the names that an archive defines for others.
of() {
    nm --defined-only -g "$1" 2>/dev/null | awk 'NF == 3 { print $3 }' | grep '^tp_' | sort -u
}
comm -12 <(of "$lib/libtempest.a") <(of "$lib/libtempest-sim.a") >"$work/out"
[ ! -s "$work/out" ] || fail "in both archives" "$work/out"
[ -n "$(of "$lib/libtempest-sim.a")" ] || { echo "libtempest-sim.a defines nothing"; failed=1; }

# There is one terminal, so what prints on it (apps/common) has a state; programs that simulate print, and
# take signals, which have no other way to reach them.
# And marks count, atomically (io/mark.h).
with_state='caught|woken_scheduler|woken_machine|drawn|name|stream|redirected|was_said\.[0-9]+|mark_\.[0-9]+'
for archive in "$lib"/libtempest*.a; do
    # Constants with addresses in them are in .data.rel.ro; what is thread-local is for lint-bans.
    objdump -t "$archive" 2>/dev/null | awk 'NF > 2 && $(NF - 2) ~ /^\.(data|bss)(\.|$)/ && $(NF - 2) !~ /\.data\.rel\.ro/ \
        && $0 ~ / O / { print $NF }' | grep -vxE "$with_state" >"$work/out"
    [ ! -s "$work/out" ] || fail "mutable globals of ${archive##*/}" "$work/out"
done

echo "$(wc -l <"$work/exported") exported, $(wc -l <"$work/declared") declared"
exit $failed
