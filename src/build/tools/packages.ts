/** Debian's packages in the tool image: what the steps of a pipeline call, and the libraries that Node is linked with. */
export const toolPackages: readonly string[] = [
  'bash busybox-static coreutils file gettext-base jq less make procps netbase iproute2',
  'git openssh-client ca-certificates curl gnupg',
  'tar gzip bzip2 xz-utils zstd zip unzip',
  'kubernetes-client skopeo buildah crun uidmap catatonit',
  'libstdc++6 libgcc-s1 libatomic1',
].flatMap((line) => line.split(' '))
