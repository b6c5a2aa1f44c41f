#!/usr/bin/env bash
# Makes the virtual environment from the lock files and sees to the system libraries Qt needs.
# Usage: setup.sh run|dev      (PYTHON and VENV choose the interpreter and the folder)
set -euo pipefail
cd "$(dirname "$0")/.."
mode="${1:?say run or dev}"
venv="${VENV:-.venv}"

# ------------------------------------------------------------------------------------ system libraries
# library file -> Debian package. Checked by file, so other distributions are told what is missing too.
libraries="libEGL.so.1:libegl1 libGL.so.1:libgl1 libxkbcommon.so.0:libxkbcommon0 libxkbcommon-x11.so.0:libxkbcommon-x11-0
libxcb-cursor.so.0:libxcb-cursor0 libxcb-icccm.so.4:libxcb-icccm4 libxcb-keysyms.so.1:libxcb-keysyms1 libxcb-image.so.0:libxcb-image0
libxcb-render-util.so.0:libxcb-render-util0 libxcb-xinerama.so.0:libxcb-xinerama0 libxcb-xkb.so.1:libxcb-xkb1
libxcb-shape.so.0:libxcb-shape0 libfontconfig.so.1:libfontconfig1 libdbus-1.so.3:libdbus-1-3 libglib-2.0.so.0:libglib2.0-0
libgomp.so.1:libgomp1 libEGL_mesa.so.0:libegl-mesa0 libGLX_mesa.so.0:libglx-mesa0"
missing=""
if [ "$(uname -s)" = Linux ]; then
  known="$(/sbin/ldconfig -p 2>/dev/null || true)"
  for pair in $libraries; do
    case "$known" in *"${pair%%:*}"*) ;; *) missing="$missing ${pair##*:}" ;; esac
  done
  ls /usr/share/fonts/truetype/*/*.ttf >/dev/null 2>&1 || missing="$missing fonts-dejavu-core"
  # The driver that computes OpenGL where there is no graphics card; the 3-D view needs one or the other.
  compgen -G "/usr/lib/*/dri/swrast_dri.so" >/dev/null || compgen -G "/usr/lib*/dri/swrast_dri.so" >/dev/null ||
    missing="$missing libgl1-mesa-dri"
  if [ "$mode" = dev ]; then
    command -v Xvfb >/dev/null || missing="$missing xvfb"
    command -v xdotool >/dev/null || missing="$missing xdotool"
    command -v openssl >/dev/null || missing="$missing openssl"
  fi
fi
python="${PYTHON:-python3.11}"
command -v "$python" >/dev/null || python=python3
if [ ! -x "$venv/bin/python" ] && ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
  missing="$missing python3-venv"
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
    echo "Installing system packages:$missing"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing
  else
    echo "MedView needs system packages that this account may not install. Please run:" >&2
    echo "  sudo apt-get install$missing" >&2
    exit 1
  fi
fi
# It judges the RT structure sets that are written; where it cannot be had, its tests are skipped.
if [ "$mode" = dev ] && ! command -v plastimatch >/dev/null && command -v apt-get >/dev/null &&
  { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends plastimatch ||
    { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq \
      --no-install-recommends plastimatch; } || echo "Without plastimatch; the tests it judges are skipped."
fi

# ------------------------------------------------------------------------------------ Python packages
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "MedView needs Python 3.11 or newer; $("$python" --version) was found. Set PYTHON to a newer one." >&2
  exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check"
echo "Installing Python packages into $venv (a few minutes the first time)"
$pip install -q -r requirements.lock
[ "$mode" = run ] || $pip install -q -r requirements-dev.lock
# nnU-Net's own networks judge ours. What they would pull in replaces torch, so they stand apart and bring nothing along.
judge="dynamic-network-architectures==0.4.4"
if [ "$mode" = dev ] && [ ! -d "$venv/judges/dynamic_network_architectures-${judge##*==}.dist-info" ]; then
  $pip install -q --no-deps --upgrade --target "$venv/judges" "$judge"
fi
$pip install -q --no-deps --no-build-isolation -e .
