import { configMapPlugin } from './config-map.ts'
import { downwardAPIPlugin } from './downward-api.ts'
import { emptyDirPlugin } from './empty-dir.ts'
import { hostPathPlugin } from './host-path.ts'
import { imagePlugin } from './image.ts'
import { persistentVolumeClaimPlugin } from './persistent-volume-claim.ts'
import { projectedPlugin } from './projected.ts'
import { secretPlugin } from './secret.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** The kinds of volumes that this node can mount. */
export const volumePlugins: readonly VolumePlugin[] = [
  emptyDirPlugin,
  configMapPlugin,
  secretPlugin,
  projectedPlugin,
  downwardAPIPlugin,
  hostPathPlugin,
  persistentVolumeClaimPlugin,
  imagePlugin,
]
