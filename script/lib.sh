# Shared by the scripts in this folder (POSIX sh): where the environment is, and how to enter it.
# Sets ROOT, ROS_FLAVOUR (jazzy, kilted or system) and VENV. Starts no process but dirname.

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
# A ROS 2 that is sourced (car, container) wins, unless wheels are asked for by name. The wheels themselves set neither
# variable; a prefix inside one of our own environments is not a sourced ROS 2.
if [ -n "${ROS_WHEELS:-}" ]; then
    ROS_FLAVOUR=$ROS_WHEELS
elif [ -n "${ROS_DISTRO:-}" ] && [ -n "${AMENT_PREFIX_PATH:-}" ]; then
    ROS_FLAVOUR=system
else
    ROS_FLAVOUR=jazzy
fi
case $ROS_FLAVOUR in
    jazzy) VENV=${ADAS_VENV:-$ROOT/.venv} ;;
    *) VENV=${ADAS_VENV:-$ROOT/.venv-$ROS_FLAVOUR} ;;
esac

die() {
    printf '%s: %s\n' "script/${0##*/}" "$1" >&2
    exit 2
}

say() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
}

# What adas_interfaces is built from, as one hash; adas_runtime/doctor.py computes the same.
interfaces_hash() (
    cd "$ROOT" || exit 1
    LC_ALL=C
    export LC_ALL
    { printf '%s\n' adas_interfaces/msg/*.msg && cat adas_interfaces/CMakeLists.txt adas_interfaces/package.xml adas_interfaces/msg/*.msg; } |
        sha256sum | cut -c1-64
)

# The wheels' start hook re-executes Python once to set the library path, and marks that in the environment. When this
# shell was started from such a Python, mark and path may belong to another environment: begin without them.
clean_ros_environment() {
    unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
    [ "$ROS_FLAVOUR" = system ] && return 0
    clean_path=
    old_ifs=$IFS
    IFS=:
    for dir in ${LD_LIBRARY_PATH:-}; do
        [ -n "$dir" ] && [ ! -e "$dir/librcl.so" ] && clean_path=${clean_path:+$clean_path:}$dir
    done
    IFS=$old_ifs
    if [ -n "$clean_path" ]; then
        LD_LIBRARY_PATH=$clean_path
        export LD_LIBRARY_PATH
    else
        unset LD_LIBRARY_PATH
    fi
    unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH
    return 0
}

# Enters the environment that script/bootstrap made.
enter_environment() {
    clean_ros_environment
    if [ "$ROS_FLAVOUR" = system ]; then
        COLCON_CURRENT_PREFIX=$VENV/colcon/install
        # colcon's own scripts read unset variables
        set +u
        # shellcheck disable=SC1091
        . "$COLCON_CURRENT_PREFIX/local_setup.sh"
        set -u
        unset COLCON_CURRENT_PREFIX
    fi
    PATH=$VENV/bin:$PATH
    VIRTUAL_ENV=$VENV
    export PATH VIRTUAL_ENV
    unset PYTHONHOME
}
