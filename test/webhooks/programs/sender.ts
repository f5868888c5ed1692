import { webhook } from '../../../src/webhooks/webhook.ts'
import { aLetter } from '../../support/letters.ts'
import { toReceiver } from '../../support/receiver.ts'

// Sends one letter to this address and prints what came of it. A process of its own, for whom it trusts is read at its start.
const hook = webhook(toReceiver(process.argv[2] ?? ''), { clock: Date.now })
console.log(JSON.stringify(await hook.deliver(aLetter(), AbortSignal.timeout(10_000))))
