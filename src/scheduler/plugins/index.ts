import type { Clock } from '#base'
import type { ClusterReader, SchedulerPlugin, VolumeWriter } from '../framework.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName, nodeUnschedulable, schedulingGates } from './node-basics.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'
import { nodePorts } from './node-ports.ts'
import { balancedAllocation, nodeResourcesFit } from './node-resources.ts'
import { taintToleration } from './taints.ts'
import { podTopologySpread } from './topology-spread.ts'
import { volumeBinding } from './volume-binding.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

/** All plugins in the order they are asked; the cheapest filters first. */
export const defaultPlugins = (reader: ClusterReader, writer: VolumeWriter, clock?: Clock): SchedulerPlugin[] => [
  schedulingGates,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  balancedAllocation,
  volumeBinding(reader, writer, clock),
  volumeRestrictions(reader),
  nodeVolumeLimits(reader),
  volumeZone(reader),
  podTopologySpread(reader),
  interPodAffinity(reader),
  imageLocality,
]
