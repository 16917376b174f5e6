#!/bin/bash
# reference.sh build|start|stop|cel: the reference of Kubernetes 1.36, of Debian sid's packages (Go, etcd and Kubernetes' libraries), on 127.0.0.1:17443 with
# the token `admintoken`. Needs root and apt. Everything is below PREFIX (default: /opt/upstream-1.36), nothing goes into the machine's own packages.
# `cel` evaluates expressions (see cel/main.go): it reads and writes lines of JSON and needs no start.
# GATES holds feature gates for start: `GATES=CBORServingAndStorage=true`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=${PREFIX:-/opt/upstream-1.36}
root=$prefix/root
run=$prefix/run
export APT_CONFIG=$prefix/apt.conf

# sid's packages unpacked, without running what they install with: libraries, compilers and etcd need none of it
packages() {
  [ -x "$root/usr/bin/etcd" ] && return
  mkdir -p "$prefix/apt/lists/partial" "$prefix/apt/cache/archives/partial" "$root"/usr/{bin,sbin,lib,lib64} "$root"/{tmp,dev,proc,work/go/src,work/bin}
  printf '%s\n' 'Types: deb' 'URIs: http://deb.debian.org/debian' 'Suites: sid' 'Components: main' 'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' > "$prefix/sid.sources"
  printf '%s "%s";\n' Dir::State::lists "$prefix/apt/lists" Dir::Cache "$prefix/apt/cache" Dir::Etc::sourceparts - Dir::Etc::sourcelist "$prefix/sid.sources" \
    Dir::State::status /dev/null Acquire::Languages none > "$prefix/apt.conf"
  apt-get -q update
  apt-get -q install -y --no-install-recommends --download-only golang-1.26-go golang-k8s-apiserver-dev golang-k8s-apiextensions-apiserver-dev golang-k8s-api-dev \
    golang-k8s-kube-openapi-dev golang-github-kubernetes-gengo-dev etcd-server kubectl bash coreutils libc6 base-files
  for each in bin sbin lib lib64; do ln -sfn "usr/$each" "$root/$each"; done
  mknod -m 666 "$root/dev/null" c 1 3 2>/dev/null || true
  mknod -m 666 "$root/dev/urandom" c 1 9 2>/dev/null || true
  for each in "$prefix"/apt/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$each" | tar -x -C "$root" --exclude=./usr/share/doc --exclude=./usr/share/locale --keep-directory-symlink
  done
}

# with a /proc of its own for the time of the command
inside() {
  unshare --mount --fork --pid --mount-proc="$root/proc" chroot "$root" /usr/bin/env -i PATH=/usr/lib/go-1.26/bin:/usr/bin HOME=/tmp GOROOT=/usr/lib/go-1.26 \
    GOPATH=/work/go:/usr/share/gocode GO111MODULE=off GOTELEMETRY=off CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOCACHE=/work/cache "$@"
}

build() {
  packages
  local source=$root/work/go/src/reference
  mkdir -p "$source/definitions"
  mkdir -p "$source/cel"
  cp "$here"/*.go "$source/"
  cp "$here"/cel/*.go "$source/cel/"
  if [ ! -s "$source/definitions/definitions.go" ]; then
    echo 'package definitions' > "$source/definitions/doc.go"
    : > "$source/boilerplate"
    inside go build -o /work/bin/openapi-gen k8s.io/kube-openapi/cmd/openapi-gen
    inside bash -c 'cd /work/go/src/reference && /work/bin/openapi-gen --output-dir definitions --output-pkg reference/definitions --output-file definitions.go \
      --go-header-file boilerplate -r /tmp/violations k8s.io/api/{admissionregistration,apps,autoscaling,coordination,core,networking,rbac,resource,scheduling,storage}/v1 \
      k8s.io/apimachinery/pkg/{apis/meta/v1,runtime,version,api/resource,util/intstr}'
  fi
  inside go build -o /work/bin/cel reference/cel
  inside go build -o /work/bin/reference reference
}

start() {
  mkdir -p "$run" && cd "$run"
  rm -rf "$root/tmp/etcd-data"
  setsid chroot "$root" /usr/bin/etcd --data-dir /tmp/etcd-data --listen-client-urls http://127.0.0.1:22379 --advertise-client-urls http://127.0.0.1:22379 \
    --listen-peer-urls http://127.0.0.1:22380 > etcd.log 2>&1 &
  echo $! > etcd.pid
  setsid "$root/work/bin/reference" --feature-gates="${GATES:-}" --certificates "$run/certificates" > reference.log 2>&1 &
  echo $! > reference.pid
  until curl -skf -H 'Authorization: Bearer admintoken' https://127.0.0.1:17443/readyz > /dev/null; do
    kill -0 "$(cat reference.pid)" 2> /dev/null || { tail -20 reference.log; exit 1; }
    sleep 0.2
  done
  echo 'ready: npm run differential -- --release 1.36 --record'
}

stop() {
  for each in reference etcd; do
    [ -f "$run/$each.pid" ] && kill "$(cat "$run/$each.pid")" 2> /dev/null || true
    rm -f "$run/$each.pid"
  done
  rm -rf "$root/tmp/etcd-data"
}

cel() { exec "$root/work/bin/cel"; }

case ${1:-} in build | start | stop | cel) "$1" ;; *) sed -n '2,5s/^# //p' "$0"; exit 2 ;; esac
