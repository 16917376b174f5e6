import type { ClusterReader, SchedulerPlugin, VolumeWriter } from '../framework.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName, nodeUnschedulable, schedulingGates } from './node-basics.ts'
import { nodePorts } from './node-ports.ts'
import { balancedAllocation, nodeResourcesFit } from './node-resources.ts'
import { taintToleration } from './taints.ts'
import { podTopologySpread } from './topology-spread.ts'
import { volumeBinding } from './volume-binding.ts'

/** All plugins in the order they are asked; the cheapest filters first. */
export const defaultPlugins = (reader: ClusterReader, writer: VolumeWriter): SchedulerPlugin[] => [
  schedulingGates,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  balancedAllocation,
  volumeBinding(reader, writer),
  podTopologySpread(reader),
  interPodAffinity(reader),
  imageLocality,
]
