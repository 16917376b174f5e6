import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from './plan.ts'

/**
 * `setup_remote_docker` for images that have no docker: a command of that name which hands over its arguments, its input and the directory of a build to a container of the
 * tool image beside it, as CircleCI's does to another machine. So `docker run -v` sees that container's files, not the job's, here as there.
 */
const directory = (exchange: string) => join(exchange, 'docker')

const client = `#!BUSYBOX sh
B=BUSYBOX D=DIRECTORY
X=$($B mktemp -d $D/XXXXXX) || exit 125
$B chmod 755 $X
$B mkfifo -m 666 $X/stdin $X/out $X/err $X/end
root=
case "$1 $2" in
  build\\ * | "image build" | "buildx build")
    for last; do :; done
    if [ -d "$last" ]; then
      here=$($B pwd -P)
      context=$(cd "$last" && $B pwd -P)
      case $context/ in
        "$here"/*) root=$here within=./\${context#"$here"} ;;
        *) root=$context within=. ;;
      esac
      i=$#
      for each; do
        shift
        i=$((i - 1))
        [ $i -gt 0 ] || each=$within
        set -- "$@" "$each"
      done
      $B mkfifo -m 666 $X/tar
    fi ;;
esac
for each; do printf '%s\\0' "$each"; done >$X/args
exec 4<&0
echo "\${X##*/}" >$D/requests
[ -z "$root" ] || $B tar -C "$root" -cf - . >$X/tar &
$B cat <&4 >$X/stdin 2>/dev/null &
input=$!
$B cat $X/out &
out=$!
$B cat $X/err >&2 &
err=$!
# read by another program: the end of a child would interrupt our own opening of the pipe
code=$($B cat $X/end)
wait $out $err
kill $input 2>/dev/null
$B rm -rf $X
exit "$code"
`

const server = `
until [ -p DIRECTORY/requests ]; do sleep 0.05; done
exec 3<>DIRECTORY/requests
while read -r id <&3; do
  (
    X=DIRECTORY/$id
    work=$(mktemp -d)
    cd "$work" || exit
    (
      exec >"$X/out" 2>"$X/err"
      [ ! -p "$X/tar" ] || tar -xf - <"$X/tar" || exit 125
      mapfile -d '' -t args <"$X/args"
      docker "\${args[@]}" <"$X/stdin"
    ) 3<&-
    echo $? >"$X/end"
    rm -rf "$work"
  ) &
done
`

const filled = (text: string, exchange: string) => text.replaceAll('BUSYBOX', join(exchange, 'busybox')).replaceAll('DIRECTORY', directory(exchange))

/** The command of the container that answers; it waits until the agent has made the way to it. */
export const remoteDockerCommand = (exchange: string = paths.exchange): string[] => ['bash', '-c', filled(server, exchange)]

/** Puts the command into `bin`, where images' own programs are looked for first. */
export function provideRemoteDocker(bin: string, exchange: string = paths.exchange): void {
  const at = directory(exchange)
  mkdirSync(at, { recursive: true })
  // whoever the steps run as may ask
  chmodSync(at, 0o777)
  execFileSync('mkfifo', ['-m', '666', join(at, 'requests.new')])
  chmodSync(join(at, 'requests.new'), 0o666)
  renameSync(join(at, 'requests.new'), join(at, 'requests'))
  writeFileSync(join(bin, 'docker'), filled(client, exchange), { mode: 0o755 })
  chmodSync(join(bin, 'docker'), 0o755)
}
