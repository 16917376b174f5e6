import type { DeepReadonly, core, meta } from '#api'
import { percentString } from '#api'
import { type Causes, forbidden, invalid, invalidEach, nonNegative, notSupported, required } from './causes.ts'
import { validatePodTemplate } from './pod/pod-spec.ts'
import { isEmptySelector, selectorMatches, validateLabelSelector } from './selectors.ts'

/**
 * Checks the selector of a workload and that its template carries the labels that the selector asks for. Answers false for a selector that
 * cannot be understood: upstream says nothing of the template then.
 */
export function validateSelectorAndTemplate(
  causes: Causes,
  selector: DeepReadonly<meta.LabelSelector> | undefined,
  template: DeepReadonly<core.PodTemplateSpec> | undefined,
  workload: string,
): boolean {
  if (!selector) {
    if (workload !== 'daemonset') causes.push(required('spec.selector'))
  } else {
    const before = causes.length
    validateLabelSelector(causes, 'spec.selector', selector)
    if (isEmptySelector(selector)) {
      causes.push(invalid('spec.selector', selector, `empty selector is invalid for ${workload}`))
      return true
    }
    if (causes.length > before) {
      if (workload !== 'daemonset') causes.push(invalid('spec.selector', selector, workload === 'statefulset' ? '' : 'invalid label selector'))
      return false
    }
  }
  // No selector selects nothing, so that no template can match it.
  if (template && !selectorMatches(selector, template.metadata?.labels))
    causes.push(invalid('spec.template.metadata.labels', template.metadata?.labels ?? {}, '`selector` does not match template `labels`'))
  return true
}

/** Templates of controllers that keep pods running: only restartPolicy Always, no deadline. */
export function validateRunningTemplate(
  causes: Causes,
  template: DeepReadonly<core.PodTemplateSpec> | undefined,
  workload: string,
  old?: DeepReadonly<core.PodTemplateSpec>,
): void {
  if (!template) {
    causes.push(required('spec.template'))
    return
  }
  validatePodTemplate(causes, 'spec.template', template, old)
  const policy = template.spec?.restartPolicy
  if (policy !== 'Always') causes.push(notSupported('spec.template.spec.restartPolicy', policy ?? '', ['Always']))
  if (template.spec?.activeDeadlineSeconds !== undefined)
    causes.push(forbidden('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${workload} is not Supported`))
}

export function validateCounts(causes: Causes, spec: DeepReadonly<{ replicas?: number; minReadySeconds?: number }>): void {
  nonNegative(causes, 'spec.replicas', spec.replicas)
  nonNegative(causes, 'spec.minReadySeconds', spec.minReadySeconds)
}

/** A number that is not negative, or a percentage. */
export function validateIntOrPercent(causes: Causes, path: string, value: number | string | undefined): void {
  if (typeof value === 'string') {
    invalidEach(causes, path, value, percentString(value))
  } else nonNegative(causes, path, value)
}

export function validateAtMostHundredPercent(causes: Causes, path: string, value: number | string | undefined): void {
  if (typeof value === 'string' && percentString(value).length === 0 && Number(value.slice(0, -1)) > 100)
    causes.push(invalid(path, value, 'must not be greater than 100%'))
}

/** The number, with percentages as their count of per cents; 0 for what is none. */
export const intOrPercentValue = (value: number | string | undefined) =>
  typeof value === 'string' ? (/^\d+%$/.test(value) ? Number.parseInt(value, 10) : 0) : (value ?? 0)
