import { type DeepReadonly, type core, isStatus, objectKey, resources } from '#api'
import { nameSuffix } from '#base'
import { type Controller, type ControllerContext, createExpectations, mapped, primary } from '#runtime'
import { isSettledElsewhere } from './default-account.ts'

const tokenType = 'kubernetes.io/service-account-token'
const accountName = 'kubernetes.io/service-account.name'
const accountUid = 'kubernetes.io/service-account.uid'

export interface LegacyTokenOptions {
  /** Signs the claims of a token that never expires (issuer `kubernetes/serviceaccount`). */
  sign(claims: Record<string, string>): Promise<string> | string
  rootCA: string
  /** Gives every service account a token Secret by itself, as clusters before 1.24 did. Secrets that users make are filled in either way. */
  everyAccount: boolean
}

/** What a token Secret needs. */
export type SecretPlan =
  | { do: 'nothing' }
  | { do: 'delete' }
  /** Fill in what is missing; `token` when a new one has to be signed. */
  | { do: 'fill'; token: boolean }

/** Pure: from a Secret of the token type and the account that it names. */
export function planSecret(secret: DeepReadonly<core.Secret>, account: DeepReadonly<core.ServiceAccount> | undefined, rootCA: string): SecretPlan {
  if (secret.type !== tokenType || secret.metadata.deletionTimestamp) return { do: 'nothing' }
  const uid = secret.metadata.annotations?.[accountUid]
  // a Secret without its account is of no use, and one of another account's life must never be handed to this one
  if (!account || (uid && uid !== account.metadata.uid)) return { do: 'delete' }
  const { data = {} } = secret
  const token = !data.token
  const stale = data['ca.crt'] !== base64(rootCA) || data.namespace !== base64(secret.metadata.namespace!) || !uid
  return token || stale ? { do: 'fill', token } : { do: 'nothing' }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Fills in token Secrets, deletes those whose account is gone, and (compat) makes one for every account. */
export function serviceAccountTokens(options: LegacyTokenOptions): Controller {
  return {
    name: 'serviceaccount-token',
    setup(context: ControllerContext) {
      const { client } = context
      const accounts = context.cache(resources.serviceAccounts)
      const secrets = context.cache<core.Secret>(resources.secrets, {
        serviceAccount: (s) => (s.type === tokenType ? [`${s.metadata.namespace}/${s.metadata.annotations?.[accountName] ?? ''}`] : []),
      })
      const secretApi = client.resource(resources.secrets)
      const accountApi = client.resource(resources.serviceAccounts)
      // a token that was made and is not in the cache yet must not be made again
      const expectations = createExpectations(secrets)

      async function reconcile(key: string, signal: AbortSignal) {
        const account = accounts.get(key)
        if (!account) expectations.forget(key)
        if (!expectations.satisfied(key)) return { requeueAfter: 1000 }
        const mine = secrets.byIndex('serviceAccount', key)
        for (const secret of mine) await settle(secret, account, signal)
        if (options.everyAccount && account && !account.metadata.deletionTimestamp) await ensureReferenced(account, mine, signal)
      }

      async function settle(
        secret: DeepReadonly<core.Secret>,
        account: DeepReadonly<core.ServiceAccount> | undefined,
        signal: AbortSignal,
      ): Promise<void> {
        const plan = planSecret(secret, account, options.rootCA)
        const { name, namespace, uid } = secret.metadata
        if (plan.do === 'delete') {
          // the cache of accounts may be behind that of secrets: ask before something is lost
          const accountKey = secret.metadata.annotations?.[accountName] ?? ''
          const live = accountKey && (await accountApi.get(accountKey, namespace, { signal }).catch(absent))
          if (live && planSecret(secret, live, options.rootCA).do !== 'delete') return
          await secretApi.delete(name, namespace, { preconditions: { uid }, signal }).catch(absent)
        } else if (plan.do === 'fill') await secretApi.update(await filled(secret, account!), { signal })
      }

      async function ensureReferenced(account: DeepReadonly<core.ServiceAccount>, mine: readonly DeepReadonly<core.Secret>[], signal: AbortSignal) {
        const names = new Set((account.secrets ?? []).map((s) => s.name))
        if (mine.some((s) => names.has(s.metadata.name) && !s.metadata.deletionTimestamp)) return
        // one that was made and not written down yet (we were interrupted) is used before another is made
        let secret: DeepReadonly<core.Secret> | undefined = mine.find((s) => s.metadata.name.startsWith(`${account.metadata.name}-token-`))
        const live = await accountApi.get(account.metadata.name, account.metadata.namespace, { signal })
        if (live.metadata.resourceVersion !== account.metadata.resourceVersion) return
        const { name, namespace, uid } = account.metadata
        try {
          secret ??= await secretApi.create(
            await filled(
              {
                apiVersion: 'v1',
                kind: 'Secret',
                type: tokenType,
                metadata: { name: `${name}-token-${nameSuffix()}`, namespace, annotations: { [accountName]: name, [accountUid]: uid! } },
              },
              account,
            ),
            { signal },
          )
          expectations.created(objectKey(account), secret)
          await accountApi.update({ ...account, secrets: [...(account.secrets ?? []), { name: secret.metadata.name }] }, { signal })
        } catch (error) {
          if (!isSettledElsewhere(error)) throw error
        }
      }

      async function filled(secret: DeepReadonly<core.Secret>, account: DeepReadonly<core.ServiceAccount>): Promise<core.Secret> {
        const namespace = secret.metadata.namespace!
        const { name, uid } = account.metadata
        const prefix = 'kubernetes.io/serviceaccount'
        const token =
          secret.data?.token ??
          base64(
            await options.sign({
              iss: 'kubernetes/serviceaccount',
              [`${prefix}/namespace`]: namespace,
              [`${prefix}/secret.name`]: secret.metadata.name,
              [`${prefix}/service-account.name`]: name,
              [`${prefix}/service-account.uid`]: uid ?? '',
              sub: `system:serviceaccount:${namespace}:${name}`,
            }),
          )
        return {
          ...(secret as core.Secret),
          metadata: {
            ...(secret.metadata as core.Secret['metadata']),
            annotations: { ...secret.metadata.annotations, [accountName]: name, [accountUid]: uid! },
          },
          data: { ...secret.data, 'ca.crt': base64(options.rootCA), namespace: base64(namespace), token },
        }
      }

      return {
        reconcile,
        watches: [
          primary(accounts),
          mapped(secrets, (s) =>
            s.type === tokenType && s.metadata.annotations?.[accountName]
              ? [objectKey({ metadata: { name: s.metadata.annotations[accountName], namespace: s.metadata.namespace } })]
              : [],
          ),
        ],
      }
    },
  }
}

function absent(error: unknown): undefined {
  if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return undefined
  throw error
}
