#!/usr/bin/env bash
# copy.sh PROGRAM SCRATCH CASE [REFUSE]: one case of tempest-copy as it is used; without a case, a
# list. REFUSE is the program of refuse.c.
#
# A case runs in an empty directory below SCRATCH. It fails at the first thing that does not hold,
# and is skipped (77) when the machine lacks something, which it names.
set -u

program=$1
scratch=$2
refuse=${4-}

fail() {
    echo "FAILED: $*" >&2
    [ ! -s log ] || sed 's/^/    said: /' log >&2
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

# copy STATUS ARG...: runs the program, what it says goes to ./log; it must exit with STATUS.
copy() {
    local wanted=$1 status
    shift
    "$program" "$@" >log 2>&1
    status=$?
    [ "$status" = "$wanted" ] || fail "exit status $status, not $wanted, of: $*"
}

said() {
    grep -qF -- "$1" log || fail "it did not say '$1'"
}

# Kind, mode, size, link target and name of everything in a tree; names of directories have no size.
listing() {
    (cd "$1" && find . -type d -printf '%y %m %P\0' -o -printf '%y %m %s %l %P\0' | LC_ALL=C sort -z | tr '\0' '\n')
}

same_tree() {
    diff -r --no-dereference "$1" "$2" >difference || fail "$1 and $2 differ: $(head -n 3 difference)"
    listing "$1" >left
    listing "$2" >right
    diff left right >difference || fail "listings differ: $(head -n 3 difference)"
}

no_temporaries() {
    [ -z "$(find "$1" -name '.tempest-*' -print -quit)" ] || fail "temporaries are left over in $1"
}

blocks() {
    stat -c %b "$1"
}

# ------------------------------------------------------------------ what is copied

case_tree() {
    local d i
    for d in $(seq 100); do
        mkdir -p "src/dir $((d % 7))/$d"
        for i in $(seq 100); do
            echo "$d $i $RANDOM" >"src/dir $((d % 7))/$d/file $i"
        done
        head -c $((d * 1777)) /dev/urandom >"src/dir $((d % 7))/$d/bytes"
        ln -s "file $d" "src/dir $((d % 7))/$d/link"
    done
    chmod 600 src/*/*/"file 7"
    chmod 755 src/*/*/"file 8"
    copy 0 --verify src dst
    same_tree src dst
    said "copied 10,100 files, 108 directories, 100 symbolic links"
    said "10,200 files and links are equal, 0 differ"
    copy 0 -q --sync --jobs 3 --depth 1 --block 4K src synced
    same_tree src synced
    [ ! -s log ] || fail "--quiet said something"
    no_temporaries .
}

case_names() {
    local long
    long=$(printf 'n%.0s' $(seq 255))
    mkdir src src/sub "src/$long" $'src/new\nline' $'src/\xff\xfe' 'src/ '
    for name in "$long" $'a\nb' $'\xff' $'\xc3\x28' '-rf' '--' ' ' '*' '\' '"' "'" '$(x)' '...' '~' $'\t\r' $'\e[31m'; do
        echo "$name" >"src/sub/$name"
        echo "$name" >"src/$long/$name"
        ln -s "$name" $'src/new\nline/'"$name"
    done
    copy 0 --verify src dst
    same_tree src dst
    cp -r "src/sub/-rf" -- -odd
    copy 0 -- -odd -also
    cmp ./-odd ./-also || fail "-odd"
    # A line says one error, whatever the name.
    copy 1 $'no\nsuch' dst
    said "\$'no\\nsuch': stat: ENOENT (No such file or directory)"
}

case_sparse() {
    local size
    mkdir src
    truncate -s 400M src/hole
    printf x | dd of=src/middle bs=1 seek=$((100 * 1024 * 1024)) status=none
    truncate -s 200M src/middle
    dd if=/dev/urandom of=src/ends bs=64K count=1 status=none
    dd if=/dev/urandom of=src/ends bs=64K count=1 seek=1000 conv=notrunc status=none
    : >src/empty
    [ "$(blocks src/hole)" -lt 1000 ] || skip "the file system has no sparse files"
    for options in -q -qs; do
        rm -rf dst
        copy 0 $options src dst
        for name in hole middle ends empty; do
            size=$(stat -c %s "src/$name")
            [ "$(stat -c %s "dst/$name")" = "$size" ] || fail "size of $name"
            [ "$(blocks "dst/$name")" -le $(($(blocks "src/$name") + 64)) ] || fail "$name was filled ($options)"
        done
        cmp src/middle dst/middle && cmp src/ends dst/ends || fail "content"
    done
}

case_deep() {
    local level part
    part=$(printf 'd/%.0s' $(seq 500))
    mkdir -p "src/$part" && (cd "src/$part" && mkdir -p "$part" && cd "$part" && mkdir -p "$part" &&
        cd "$part" && mkdir -p "$part" && echo deep >"$part/leaf" && ln -s leaf "$part/link") ||
        skip "2,000 levels cannot be made here"
    # And a path that no system call would take: 60 levels of 200 bytes.
    (
        mkdir long && cd long || exit 1
        for level in $(seq 60); do
            part=$(printf "%0200d" "$level")
            mkdir "$part" && cd "./$part" 2>/dev/null || exit 1
        done
        echo long >leaf
    ) || skip "a path of 12,000 bytes cannot be made here"
    copy 0 --verify src dst
    listing src >left
    listing dst >right
    cmp left right || fail "2,000 levels"
    [ "$(wc -l <left)" = 2003 ] || fail "the source has $(wc -l <left) entries"
    copy 0 --verify long far
    listing long >left
    listing far >right
    cmp left right || fail "a path of 12,000 bytes"
    # An error down there is said with the end of its path.
    find src -name leaf -execdir rm {} \; -execdir mkfifo leaf \;
    copy 1 -q src again
    said "d/leaf': skipped"
    # rm and find go down by fds too, but not all of their versions go up again.
    rm -rf src dst long far again
}

case_modes() {
    local mode
    mkdir src
    for mode in 400 444 600 640 644 660 666 700 755 777 000 4755 2755 6711; do
        echo $mode >src/$mode && chmod $mode src/$mode
        mkdir src/dir$mode && echo x >src/dir$mode/file && chmod $mode src/dir$mode
    done
    chmod 1777 src/dir777
    chmod 555 src
    for mask in 022 077 000; do
        (umask $mask && copy 0 -q src dst$mask) || exit 1
        for mode in 400 444 600 640 644 660 666 700 755 777 000; do
            [ "$(stat -c %a dst$mask/$mode)" = $((10#$mode)) ] || fail "mode $mode under umask $mask"
        done
        # Set-id bits act on behalf of an owner, which the copy may not have.
        [ "$(stat -c %a dst$mask/4755 dst$mask/2755 dst$mask/6711 | tr '\n' ' ')" = "755 755 711 " ] || fail "set-id bits"
        [ "$(stat -c %a dst$mask/dir444 dst$mask/dir640 dst$mask dst$mask/dir777 | tr '\n' ' ')" = "444 640 555 1777 " ] || fail "directories"
    done
    # A file that is private in the source is never readable by others in a directory that is there.
    mkdir -m 755 there
    copy 0 -q src/600 src/666 there
    [ "$(stat -c %a there/600 there/666 | tr '\n' ' ')" = "600 666 " ] || fail "into a directory"
    chmod -R u+rwx src dst*
}

case_links() {
    mkdir outside src
    echo secret >outside/secret
    ln -s ../outside src/out
    ln -s "$PWD/outside" src/absolute
    ln -s nowhere src/dangling
    ln -s . src/itself
    ln -s "$(printf 'x%.0s' $(seq 4000))" src/long
    copy 0 --verify src dst
    same_tree src dst
    [ -L dst/out ] && [ ! -e dst/out/../src/secret ] || fail "followed"
    # A link as SRC is copied as a link, and followed if it ends in '/'.
    ln -s src to-src
    copy 0 -q to-src as-link
    [ "$(readlink as-link)" = src ] || fail "a link as SRC"
    copy 0 -q to-src/ as-tree
    [ ! -L as-tree ] || fail "a link with a slash as SRC"
    same_tree src as-tree
    # A link in the place of a directory leads nowhere: what it names is not written into.
    mkdir -p tree/sub merged/tree
    echo x >tree/sub/file
    ln -s "$PWD/outside" merged/tree/sub
    copy 1 tree merged
    said "'merged/tree/sub'"
    [ "$(ls outside)" = secret ] || fail "written through a link"
    # A link in the place of a file is replaced, what it names is not.
    echo new >tree/name
    ln -s "$PWD/outside/secret" merged/tree/name
    copy 1 -q tree merged
    [ "$(cat outside/secret)" = secret ] && [ ! -L merged/tree/name ] || fail "a file written through a link"
    # A link over a link, and over a file.
    ln -s two merged/tree/l1 && echo file >merged/tree/l2
    ln -s one tree/l1 && ln -s one tree/l2
    copy 1 -q tree merged
    [ "$(readlink merged/tree/l1)" = one ] && [ "$(readlink merged/tree/l2)" = one ] || fail "links are not replaced"
    no_temporaries merged
}

case_itself() {
    mkdir -p a/b
    echo x >a/f
    listing a >before
    copy 1 a a
    said "'a': a directory is not copied into itself"
    copy 1 a a/b
    copy 1 a a/b/c
    copy 1 a/. a/b
    copy 1 a/ a/new
    copy 1 . a/b
    copy 1 "$PWD" a/b/x
    copy 1 ./a/../a a/b
    ln -s a/b into
    copy 1 a into
    copy 1 a into/
    rm into
    copy 1 a/f a/f
    said "the same file"
    copy 1 a/f a
    copy 1 a/f ./a/../a/f
    copy 1 a/b a
    said "the same directory"
    ln a/f hard
    copy 1 a/f hard
    said "the same file"
    [ "$(stat -c %h hard)" = 2 ] || fail "the hard link is broken"
    ln -s a/f soft
    copy 1 a/f soft/
    listing a >after
    cmp before after || fail "something was changed"
    # What only looks alike is copied.
    mkdir ab && copy 0 -q a ab && same_tree a ab/a
    copy 0 -q a/. ab && cmp a/f ab/f || fail "the contents of a"
    copy 0 -q a aa && same_tree a aa
}

# ------------------------------------------------------------------ where it is copied to

case_merge() {
    mkdir -p src/sub dst/src/sub dst/src/kept
    echo new >src/sub/file
    echo "old and longer" >dst/src/sub/file
    chmod 640 src/sub/file
    chmod 751 dst/src/sub
    echo extra >dst/src/kept/extra
    ln dst/src/sub/file other-name
    copy 0 --verify src dst
    [ "$(cat dst/src/sub/file)" = new ] && [ "$(cat dst/src/kept/extra)" = extra ] || fail "merged"
    [ "$(stat -c %a dst/src/sub)" = 751 ] && [ "$(stat -c %a dst/src/sub/file)" = 640 ] || fail "modes"
    # The name gets a new file; whoever has the old one keeps it.
    [ "$(cat other-name)" = "old and longer" ] || fail "written into the old file"
    # What cannot be replaced is said, and the rest goes on.
    mkdir dst/src/dir && mkdir src/was-file && echo f >src/dir && echo f >dst/src/was-file && echo f >src/also
    copy 1 src dst
    said "'src/dir': a directory is in its place in DST"
    said "'dst/src/was-file': open as a directory: ENOTDIR"
    cmp src/also dst/src/also || fail "the rest"
    no_temporaries dst
}

case_arguments() {
    mkdir one two dst
    echo 1 >one/f && echo 2 >two/f && echo 3 >g && echo 4 >h
    copy 0 -q g h one dst
    same_tree one dst/one && cmp g dst/g && cmp h dst/h || fail "several SRC"
    copy 1 one/f two/f dst
    said "'two/f': another SRC of the same name was copied before"
    [ "$(cat dst/f)" = 1 ] || fail "the second won"
    copy 1 g h nowhere
    said "'nowhere': copy to: ENOENT"
    copy 1 g h dst/g
    said "ENOTDIR"
    copy 1 g missing h dst
    said "'missing': stat: ENOENT"
    copy 1 g nowhere/
    said "ENOTDIR"
    copy 1 g no/such/place
    said "ENOENT"
    copy 1 g/ x
    copy 0 -q one made/
    same_tree one made
    copy 0 -q g k && cmp g k || fail "a file by another name"
    copy 0 -q ./one/../g l && cmp g l || fail "dots in a path"
    (cd one && copy 0 -q . ../three) || exit 1
    same_tree one three
    mkdir -p box/x && echo f >box/f
    copy 0 -q box/x/.. all
    same_tree box all
    mkdir many many-copied
    for i in $(seq 300); do echo "$i" >"many/$i"; done
    copy 0 -q many/* many-copied
    same_tree many many-copied
}

case_options() {
    echo x >f
    copy 0 --help
    said "usage: tempest-copy"
    said "Examples:"
    copy 0 --version
    said "tempest-copy 0."
    copy 2
    copy 2 f
    copy 2 --frobnicate f g
    said "--frobnicate"
    copy 2 --io=windows f g
    copy 2 --block=1000 f g
    copy 2 --depth f
    [ ! -e g ] || fail "wrong usage copied something"
    copy 0 f g
    said "copied 1 files"
    copy 0 --stats -q f h
    said "kernel entries"
    said "operations"
    copy 0 -rq f i && cmp f i || fail "-r"
    copy 1 -q f no/such
    [ -s log ] || fail "--quiet kept an error back"
    "$program" --help >/dev/full 2>log
    [ $? = 1 ] || fail "a full standard output was not noticed"
}

case_dry_run() {
    mkdir -p src/sub dst
    echo x >src/sub/file
    ln -s x src/link
    mkfifo src/pipe
    touch -d 2001-01-01 dst
    listing . >/tmp/copy.$$ 2>/dev/null
    copy 1 --dry-run src dst
    said "'src/sub/file' -> 'dst/src/sub/file', 2 B"
    said "'src/link' -> 'dst/src/link', symbolic link"
    said "'src/sub' -> 'dst/src/sub', directory"
    said "'src/pipe': skipped"
    said "would copy 1 files, 2 directories, 1 symbolic links"
    [ -z "$(ls dst)" ] && [ "$(date -r dst +%Y)" = 2001 ] || fail "something was touched"
    copy 1 -n src new
    [ ! -e new ] || fail "it was made"
    copy 1 -n src src/sub
    said "not copied into itself"
    rm -f /tmp/copy.$$
}

# ------------------------------------------------------------------ what goes wrong

case_special() {
    mkdir -p src/sub
    mkfifo src/sub/pipe
    echo x >src/sub/file
    echo y >src/z
    copy 1 --verify src dst
    said "'src/sub/pipe': skipped: it is a device, a pipe or a socket"
    said "1 errors"
    cmp src/sub/file dst/sub/file && cmp src/z dst/z || fail "the rest was not copied"
    [ ! -e dst/sub/pipe ] || fail "the pipe was copied"
    copy 1 /dev/null null
    said "'/dev/null': skipped"
    # Nor is one replaced: as root, a copy to /dev/null would take it away from everybody.
    mkfifo in-place
    copy 1 src/z in-place
    said "'src/z': a device, a pipe or a socket is in its place in DST"
    [ -p in-place ] || fail "the pipe was replaced"
    mkfifo dst/z2 && echo new >src/z2
    copy 1 -q src/. dst
    [ -p dst/z2 ] || fail "a pipe in the tree was replaced"
    ln -s x link && copy 1 -q link in-place
    [ -p in-place ] || fail "the pipe was replaced by a link"
    no_temporaries .
    # Files that say they are empty and are not.
    copy 0 -q /proc/version version
    [ -s version ] || fail "/proc/version came out empty"
}

case_unreadable() {
    mkdir -p src/closed
    echo x >src/readable && echo y >src/secret && echo z >src/closed/in
    chmod 000 src/secret src/closed
    if [ "$(id -u)" = 0 ]; then
        command -v setpriv >/dev/null || skip "root may read everything, and there is no setpriv"
        cp "$program" program
        chmod 755 program .
        mkdir -m 777 dst
        chown -R nobody src
        program="setpriv --reuid=65534 --regid=65534 --clear-groups ./program"
        $program --version >log 2>&1 || skip "nobody may not run here: $(head -n 1 log)"
        $program src dst >log 2>&1
        [ $? = 1 ] || fail "exit status"
        set -- dst/src
    else
        copy 1 src dst
        set -- dst
    fi
    said "'src/secret': open: EACCES (Permission denied)"
    said "'src/closed': open: EACCES (Permission denied)"
    cmp src/readable "$1/readable" || fail "the rest was not copied"
    [ ! -e "$1/secret" ] || fail "an empty file was left"
    no_temporaries dst
    chmod -R u+rwx src
}

case_full() {
    mkdir disk src
    [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1M tmpfs disk 2>/dev/null || skip "a tmpfs cannot be mounted here"
    trap "umount '$PWD/disk'" EXIT
    for i in $(seq 10); do head -c 300000 /dev/urandom >src/$i; done
    copy 1 --sync src disk
    said "ENOSPC (No space left on device)"
    no_temporaries disk
    for file in disk/src/*; do
        [ ! -e "$file" ] || cmp "$file" "src/${file##*/}" || fail "a part of a file was left"
    done
    [ "$(ls disk/src | wc -l)" -ge 1 ] || fail "nothing was copied though there was room"
    trap - EXIT
    umount disk
}

# interrupt SIGNAL STATUS
interrupt() {
    local pid status
    rm -rf dst
    # Without job control, what runs in the background ignores SIGINT.
    set -m
    # So slow that the signal comes in the middle: a block of 4 KiB at a time.
    "$program" --jobs 2 --depth 1 --block 4K src dst >log 2>&1 &
    pid=$!
    set +m
    for _ in $(seq 1000); do
        # At work: a file is there that has not got its name.
        [ -z "$(find dst -name '.tempest-*' -print -quit 2>/dev/null)" ] || break
        sleep 0.01
    done
    kill "-$1" $pid
    wait $pid
    status=$?
    [ $status = 0 ] && skip "the copy was faster than the signal"
    [ $status = "$2" ] || fail "exit status $status after SIG$1"
    said "SIG$1: stopped at '"
    no_temporaries dst
    for file in dst/*; do
        [ ! -e "$file" ] || cmp "$file" "src/${file##*/}" || fail "a part of ${file##*/} was left"
    done
    [ "$(stat -c %a dst)" = 750 ] || fail "the directory was left closed"
}

case_interrupt() {
    mkdir -m 750 src
    for i in $(seq 4); do head -c 30M /dev/zero | tr '\0' "$i" >src/$i; done
    interrupt INT 130
    interrupt TERM 143
    interrupt HUP 129
    # The same command again completes it.
    copy 0 -q src dst
    copy 0 -q src/. dst
    cmp src/3 dst/src/3 && cmp src/3 dst/3 || fail "again"
    # A signal that was ignored stays ignored.
    (trap '' INT && rm -rf dst && "$program" -q src dst & pid=$! && sleep 0.05 && kill -INT $pid && wait $pid) || fail "nohup"
}

case_refused() {
    local status
    [ -n "$refuse" ] || skip "REFUSE was not given"
    echo x >f
    "$refuse" "$program" --io=linux f g >log 2>&1
    status=$?
    [ $status != 77 ] || skip "$(cat log)"
    [ $status = 1 ] || fail "exit status $status"
    said "io_uring cannot be used"
    said "EPERM"
    said "kernel.io_uring_disabled"
    [ ! -e g ] || fail "copied all the same"
    # By itself it takes what there is, and says so once.
    "$refuse" "$program" f g >log 2>&1 && cmp f g || fail "--io=auto"
    said "seccomp"
    said "EPERM"
    [ "$(grep -c "io_uring cannot be used" log)" = 1 ] || fail "not said once"
    [ "$(grep -c "runs on threads and epoll" log)" = 1 ] || fail "which it was is not said once"
    rm -f g
    if "$program" --io=linux f g 2>log; then
        ! grep -q "runs on" log || fail "--io=linux says what was asked for"
        rm -f g
        "$program" f g >out 2>log && [ ! -s out ] && [ "$(grep -c "runs on io_uring" log)" = 1 ] || fail "auto"
        rm -f g
        "$program" -q f g >log 2>&1 && [ ! -s log ] || fail "-q on io_uring"
        rm -f g
    fi
    "$refuse" "$program" -q f g >log 2>&1 && cmp f g && [ ! -s log ] || fail "-q"
    rm -f g
    "$program" --io=posix f g >log 2>&1 && cmp f g || fail "--io=posix"
    ! grep -q "io_uring" log || fail "--io=posix speaks of io_uring"
    # The virtual world needs no io_uring.
    "$refuse" "$program" --io=virtual f g >log 2>&1 || fail "--io=virtual"
    said "trace hash"
}

# ------------------------------------------------------------------ the terminal

case_bar() {
    command -v script >/dev/null || skip "there is no script(1) to make a terminal"
    mkdir src
    for i in $(seq 20); do head -c 8M /dev/zero >src/$i; done
    TERM=xterm script -qec "$(printf '%q --depth 1 --block 4K --verify src dst' "$program")" /dev/null >log </dev/null || fail "under a terminal"
    said "=>"
    said " of "
    said "/s"
    said " left"
    said " files"
    # Elsewhere: lines without any control.
    copy 0 src plain
    ! LC_ALL=C grep -q '[[:cntrl:]]' log || fail "control characters without a terminal"
}

# ------------------------------------------------------------------ the virtual world

small_tree() {
    mkdir -p src/sub/empty
    for i in $(seq 40); do head -c $((i * 997)) /dev/urandom >"src/sub/$i"; done
    head -c 700K /dev/urandom >src/large
    truncate -s 2M src/hole
    ln -s sub src/link
    chmod 600 src/sub/7
    echo x >$'src/new\nline'
}

case_virtual() {
    local first
    small_tree
    copy 0 --io=virtual --seed 7 --verify src dst
    said "verified byte for byte: 44 files and links are equal"
    first=$(grep -o 'trace hash [0-9a-f]*' log) || fail "no hash"
    said "seed 7"
    copy 0 -q --io=virtual --seed 7 --verify src dst
    [ "$(grep -o 'trace hash [0-9a-f]*' log)" = "$first" ] || fail "the same seed, another trace"
    copy 0 -q --io=virtual --seed 8 --verify src dst
    [ "$(grep -o 'trace hash [0-9a-f]*' log)" != "$first" ] || fail "another seed, the same trace"
    [ ! -e dst ] || fail "the disk was touched"
    # The same errors as on the machine itself.
    copy 1 --io=virtual src src/sub
    said "a directory is not copied into itself"
    copy 1 --io=virtual src/large src/large
    said "the same file"
    mkfifo src/pipe
    copy 0 --io=virtual src dst
    said "not loaded: a device, a pipe or a socket"
}

case_power_cuts() {
    small_tree
    copy 0 --power-cuts 20 --seed 3 src dst
    said "power cuts: 20"
    said "every file was old, new or absent, none torn"
    cp log first
    copy 0 --power-cuts 20 --seed 3 src dst
    cmp log first || fail "the same seed, other cuts"
    # What finds nothing wrong must be able to: without syncs, files are torn.
    copy 1 --power-cuts 20 --no-sync src dst
    said "BROKEN"
    said "is neither the old nor the new file"
    [ ! -e dst ] || fail "the disk was touched"
}

# ------------------------------------------------------------------ running

if [ $# -lt 3 ]; then
    declare -F | sed -n 's/^declare -f case_//p'
    exit 2
fi
case $program in
/*) ;;
*) program=$PWD/$program ;;
esac
case $refuse in
"" | /*) ;;
*) refuse=$PWD/$refuse ;;
esac
mkdir -p "$scratch" && cd "$scratch" || exit 1
chmod -R u+rwx "copy-$3" 2>/dev/null
rm -rf "copy-$3"
mkdir "copy-$3" && cd "copy-$3" || exit 1
case $3 in
virtual | power_cuts | options) ;;
*)
    echo probe >probe
    "$program" -q probe probed 2>log || skip "io_uring is refused here: $(head -n 1 log)"
    rm -f probe probed
    ;;
esac
"case_$3" || exit $?
cd .. && chmod -R u+rwx "copy-$3" && rm -rf "copy-$3"
echo "passed: $3"
