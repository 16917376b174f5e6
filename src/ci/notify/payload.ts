import type { DeepReadonly, ci } from '#api'
import type { NotificationFacts } from './facts.ts'

/** Texts where the project has none of its own; `{{name}}` is a fact, and what stands in `{{#name}}…{{/name}}` is left out when the fact is empty. */
const standardTemplates: Record<ci.NotificationEvent, string> = {
  Success: '{{project}} #{{number}}: {{ref}} ({{short}}) succeeded{{#duration}} in {{duration}}{{/duration}}{{#actor}}, by {{actor}}{{/actor}}',
  Fixed: '{{project}} #{{number}}: {{ref}} ({{short}}) is fixed{{#actor}}, by {{actor}}{{/actor}}',
  Failure:
    '{{project}} #{{number}}: {{ref}} ({{short}}) failed{{#job}} in {{job}}{{/job}}{{#step}} at “{{step}}”{{/step}}{{#actor}}, by {{actor}}{{/actor}}',
  Errored: '{{project}} #{{number}}: {{ref}} ({{short}}) could not run{{#message}}: {{message}}{{/message}}',
  Canceled: '{{project}} #{{number}}: {{ref}} ({{short}}) was canceled',
  OnHold: '{{project}} #{{number}}: {{ref}} ({{short}}) waits for an approval',
}

/** Slack's names of colours. */
const colours: Record<ci.NotificationEvent, string> = {
  Success: 'good',
  Fixed: 'good',
  Failure: 'danger',
  Errored: 'danger',
  Canceled: '#888888',
  OnHold: 'warning',
}

/** Fills a template in; a name that is no fact stays as it is, so that a slip shows. */
export function render(template: string, facts: NotificationFacts, escape: (text: string) => string = (text) => text): string {
  const has = (name: string): name is keyof NotificationFacts => Object.hasOwn(facts, name)
  return template
    .replaceAll(/\{\{#(\w+)\}\}(.*?)\{\{\/\1\}\}/gs, (all: string, name: string, inner: string) => (has(name) ? (facts[name] ? inner : '') : all))
    .replaceAll(/\{\{(\w+)\}\}/g, (all: string, name: string) => (has(name) ? escape(facts[name]) : all))
}

/** Slack's mark-up gives these three a meaning (its documentation, "Escaping text"); a branch must not mention a channel. */
const slackEscape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const jsonEscape = (text: string): string => JSON.stringify(text).slice(1, -1)

/** The body of a notification. A template that is a JSON object is the body itself; any other is its text. */
export function payloadOf(notification: DeepReadonly<ci.ProjectNotification>, facts: NotificationFacts): object {
  const own = notification.templates?.[facts.event] ?? notification.templates?.[facts.event.toLowerCase()]
  if (own?.trimStart().startsWith('{') && !own.trimStart().startsWith('{{')) {
    const text = render(own, facts, notification.type === 'Slack' ? (value) => jsonEscape(slackEscape(value)) : jsonEscape)
    try {
      return JSON.parse(text) as object
    } catch (error) {
      throw new Error(`the template for ${facts.event} is no JSON once it is filled in: ${(error as Error).message}`, { cause: error })
    }
  }
  const template = own ?? standardTemplates[facts.event]
  return notification.type === 'Slack' ? slackPayload(template, facts) : webhookPayload(render(template, facts), facts)
}

/** Slack's incoming webhooks, which Mattermost, Rocket.Chat and others take as well: a text and one attachment. */
function slackPayload(template: string, facts: NotificationFacts): object {
  const details = [
    facts.subject && `*Commit* ${slackEscape(facts.subject)}`,
    facts.file && `*Where* ${slackEscape(facts.file)}${facts.line ? `:${facts.line}` : ''}`,
    facts.message && facts.event !== 'Errored' ? `*Why* ${slackEscape(facts.message)}` : '',
    `<${facts.url}|Pipeline> · \`${slackEscape(facts.command)}\``,
  ].filter(Boolean)
  return {
    text: render(template, facts, slackEscape),
    attachments: [{ color: colours[facts.event], mrkdwn_in: ['text'], fallback: facts.command, text: details.join('\n') }],
  }
}

function webhookPayload(text: string, facts: NotificationFacts): object {
  const { event, status, namespace, project, number, job, step, exitCode, file, line, message, url, command } = facts
  const failed = event === 'Failure' || event === 'Errored'
  return {
    event,
    text,
    project: { namespace, name: project },
    pipeline: {
      name: facts.pipeline,
      ...(number ? { number: Number(number) } : {}),
      status,
      ...(facts.branch ? { branch: facts.branch } : {}),
      ...(facts.tag ? { tag: facts.tag } : {}),
      revision: facts.revision,
      actor: facts.actor,
      subject: facts.subject,
      author: facts.author,
      duration: facts.duration,
      url,
    },
    ...(failed
      ? {
          failure: {
            ...(job ? { job } : {}),
            ...(step ? { step } : {}),
            ...(exitCode ? { exitCode: Number(exitCode) } : {}),
            ...(file ? { file, ...(line ? { line: Number(line) } : {}) } : {}),
            ...(message ? { message } : {}),
          },
        }
      : {}),
    command,
  }
}
