#!/bin/sh
# Installs what the project needs and the machine lacks, and nothing twice:
#   - Debian packages (debian-packages.txt), as root or through sudo;
#   - Python tools (python-requirements.txt), in a virtual environment under target/;
#   - the kernel's handlers for ARM programs of 64 and 32 bits, with which base images are put together.
# Needs: Debian 12 or later, or a Debian-like Ubuntu, and a Rust toolchain.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
packages=$here/debian-packages.txt
requirements=$here/python-requirements.txt
venv=${IMGBUILD_VENV:-$here/../../target/venv}

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 3; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "not root, and there is no sudo: run this as root: $*"
    fi
}

# One row a package, comments left out: purpose, package, version, probe.
rows() { grep -v '^ *#' "$packages" | grep .; }

installed_version() { dpkg-query -W -f='${Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^install ok installed //p'; }

# Does $1 stand on this machine in version $2 or later, as its probe $3 shows?
present() {
    case $3 in
        /*) [ -e "$3" ] || return 1 ;;
        *) PATH=$PATH:/usr/sbin:/sbin command -v "$3" >/dev/null || return 1 ;;
    esac
    [ "$2" = - ] && return 0
    version=$(installed_version "$1")
    [ -n "$version" ] && dpkg --compare-versions "${version#*:}" ge "$2"
}

missing() {
    rows | while read -r _purpose package version probe; do
        present "$package" "$version" "$probe" || echo "$package $version"
    done
}

# A second sources file: the machine's own Debian source, with only the suite changed.
enable_backports() {
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    target=/etc/apt/sources.list.d/imgbuild-backports
    for source in /etc/apt/sources.list.d/*.sources; do
        [ -e "$source" ] || continue
        # the first paragraph that is Debian's own archive of this release
        derived=$(awk -v RS= -v suite="$codename" '
            !done && /URIs:[^\n]*\/debian/ && $0 ~ "Suites:[^\n]*" suite "( |\n|$)" && /Components:[^\n]*main/ {
                sub(/Suites:[^\n]*/, "Suites: " suite "-backports"); print; done = 1
            }' "$source")
        if [ -n "$derived" ]; then
            printf '%s\n' "$derived" | as_root tee "$target.sources" >/dev/null
            return
        fi
    done
    if line=$(grep -hE "^deb .* $codename main" /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1) && [ -n "$line" ]; then
        printf '%s\n' "$line" | sed "s/ $codename main/ $codename-backports main/" | as_root tee "$target.list" >/dev/null
        return
    fi
    die "$1 is needed in version $2 or later, this release has an older one, and no Debian source was found from which to derive its backports"
}

candidate() { apt-cache policy "$1" | sed -n 's/^  Candidate: //p'; }

# The version that will do is in the release, or in its backports.
install_packages() {
    plain= backported=
    say "installing: $(missing | cut -d' ' -f1 | tr '\n' ' ')"
    as_root apt-get update -qq
    while read -r package version; do
        found=$(candidate "$package")
        if [ "$version" != - ] && ! dpkg --compare-versions "${found#*:}" ge "$version"; then
            [ -n "$backported" ] || { enable_backports "$package" "$version"; as_root apt-get update -qq; }
            backported="$backported $package"
        else
            plain="$plain $package"
        fi
    done <<LIST
$(missing)
LIST
    # shellcheck disable=SC2086 # lists of words
    [ -z "$plain" ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $plain >/dev/null
    # shellcheck disable=SC2086
    [ -z "$backported" ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -t "$(. /etc/os-release && echo "$VERSION_CODENAME")-backports" $backported >/dev/null
    left=$(missing)
    [ -z "$left" ] || die "still missing after the installation: $left"
}

install_python_tools() {
    stamp=$venv/requirements.txt
    cmp -s "$requirements" "$stamp" 2>/dev/null && return
    say "installing Python tools into $venv"
    # Debian's own Python: another one on the PATH may lack the venv module.
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$stamp"
}

# Where systemd is not the first process, the package registers no handler: done here as it would. $1 is QEMU's name
# for the processor.
register_binfmt() {
    handlers=/proc/sys/fs/binfmt_misc
    [ -e "$handlers/qemu-$1" ] && return
    [ "$(uname -m)" = "$1" ] && return
    say "registering the kernel's handler for $1 programs"
    [ -e "$handlers/register" ] || as_root mount -t binfmt_misc binfmt_misc "$handlers"
    [ -e "$handlers/qemu-$1" ] && return
    as_root sh -c "cat /usr/lib/binfmt.d/qemu-$1.conf > $handlers/register"
}

[ -z "$(missing)" ] || install_packages
install_python_tools
register_binfmt aarch64
register_binfmt arm
