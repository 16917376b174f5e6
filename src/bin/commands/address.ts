import type { Command } from 'commander'
import { cluster, known, nameOption, outputOption } from './options.ts'

/** `k8ts address`: static addresses of ingresses and load balancers. */
export function addressCommands(program: Command): void {
  const address = program.command('address').description('static addresses of ingresses and load balancers')

  address
    .command('create')
    .description('reserve an address; an Ingress asks for it by name with the annotation kubernetes.io/ingress.global-static-ip-name')
    .argument('<address-name>')
    .option('--address <ip>', 'this one of the cluster’s pool; a free one when absent')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async (addressName: string, flags: { address?: string; name: string; output: string }) => {
      const { createAddress } = await cluster()
      const ip = await createAddress(await known(flags.name), { name: addressName, ...(flags.address ? { address: flags.address } : {}) })
      console.log(flags.output === 'json' ? JSON.stringify({ name: addressName, address: ip }) : ip)
    })

  address
    .command('list')
    .description('list the static addresses, and who uses them')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async ({ name, output }: { name: string; output: string }) => {
      const { listAddresses } = await cluster()
      const addresses = await listAddresses(await known(name))
      if (output === 'json') return console.log(JSON.stringify(addresses, undefined, 2))
      for (const each of addresses) console.log([each.name, each.address, each.users.join(', ') || 'not in use'].join('\t'))
    })

  address
    .command('delete')
    .description('give a static address back; refused while it is in use')
    .argument('<address-name>')
    .addOption(nameOption())
    .action(async (addressName: string, { name }: { name: string }) => {
      const { deleteAddress } = await cluster()
      await deleteAddress(await known(name), addressName)
      console.log(`address ${addressName} deleted`)
    })
}
