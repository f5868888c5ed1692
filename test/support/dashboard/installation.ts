import { setTimeout as sleep } from 'node:timers/promises'
import type { Finding } from '../../../src/domain/control-plane.ts'
import type { Task } from '../../../src/domain/task.ts'
import { applies, blocks, type Script } from '../scripted-plane.ts'
import { aCommitOf, anOwner } from '../task.ts'
import { until } from '../until.ts'
import type { DashboardLab } from './lab.ts'

const findings: readonly Finding[] = [
  { name: 'engine', state: 'ok', text: 'Docker 20.10.24, runc' },
  { name: 'posture', state: 'warning', text: 'standard: no user namespaces. Tasks run here all the same.' },
  { name: 'image', state: 'ok', text: 'sha256:4be0…' },
  { name: 'disk', state: 'ok', text: '81920 MiB free in /home/ada/.local/share/cofferdam/.workspace' },
  { name: 'outbox', state: 'ok', text: '0 waiting' },
  { name: 'discord', state: 'ok', text: 'connected as Cofferdam' },
]

const diff = `diff --git a/src/receipt.py b/src/receipt.py
index 3b18e51..a9c1f42 100644
--- a/src/receipt.py
+++ b/src/receipt.py
@@ -1,8 +1,11 @@
 """Receipts of the shop."""
+from decimal import Decimal
 
 
 def total(lines):
-    return sum(price * count for price, count in lines)
+    """The sum of all lines, to the cent."""
+    amount = sum(Decimal(price) * count for price, count in lines)
+    return amount.quantize(Decimal("0.01"))
 
 
 def line(name, price, count):
diff --git a/test_receipt.py b/test_receipt.py
index 1c59427..5b2e2ef 100644
--- a/test_receipt.py
+++ b/test_receipt.py
@@ -4,3 +4,7 @@ from src.receipt import total
 
 def test_total():
     assert total([("0.10", 3)]) == Decimal("0.30")
+
+
+def test_total_of_nothing():
+    assert total([]) == Decimal("0.00")
`

const log = `== agent box of step 3, attempt 1 ==
» Read tools/cli.py
The options of "export" are still read by hand: they go to the new parser next.
» Edit tools/cli.py
» Bash python3 -m pytest -q
...........                                                         [100%]
11 passed in 0.21s
`

/** Two steps that are done, of which the first one failed its test, and a third one that goes on. */
const worksAtStep3: Script = ({ report }) => {
  report({ type: 'advanced', phase: 'agent', text: 'The worktree is ready.' })
  const begin = (step: number): void => {
    const text = `Step ${step}/8: the agent starts.`
    report({ type: 'begun', step, attempt: 1, text, consumed: null }, { data: { kind: 'agent' } })
  }
  const steps = [
    {
      changed: '3 files changed (+84 −12).',
      tested: 'The test fails (exit code 1): 2 failed, 9 passed.',
      passed: false,
    },
    { changed: '2 files changed (+31 −6).', tested: 'The test passes.', passed: true },
  ]
  for (const [index, { changed, tested, passed }] of steps.entries()) {
    begin(index + 1)
    report({ type: 'agent_finished', text: 'The agent ended with CONTINUE.' })
    report({ type: 'advanced', phase: 'candidate', text: 'The tree is inside the policy.' })
    report({ type: 'candidate_made', text: changed })
    const priorFailure = passed ? null : tested
    report({ type: 'tested', text: tested, priorFailure }, { data: { passed } })
    const progress = { signature: changed, repeats: 1 }
    report({
      type: 'checkpointed',
      verdict: { kind: 'next' },
      head: aCommitOf('bc'.charAt(index)),
      progress,
      marks: null,
    })
  }
  begin(3)
}

/** Goals as people write them, and tasks on them in every state. */
export function anInstallation() {
  const script: Script = (turn) => {
    if (turn.task.goal.startsWith('Move')) return blocks(turn)
    if (!turn.task.goal.startsWith('Port')) return applies(turn)
    return worksAtStep3(turn)
  }
  const fill = async (lab: DashboardLab) => {
    const on = (repository: string) => ({ repository, test: 'python3 -m pytest -q' })
    const make = async (goal: string, repository: string): Promise<Task> => {
      const task = await lab.submit(goal, on(repository))
      lab.plane.attend(task.id)
      await sleep(2)
      return task
    }
    const applied = await make('Make the totals of receipts exact to the cent', '/home/ada/shop')
    await make('Write tests for the parser of dates', '/home/ada/calendar')
    await make('Move the settings into one file', '/home/ada/calendar')
    const running = await make('Port the command line to the new parser', '/home/ada/tools')
    await lab.submit('Speed up the search of the catalogue', on('/home/ada/shop'))
    await lab.submit('Explain each error with what to do about it', on('/home/ada/tools'))
    const stopped = await lab.submit('Rename the module of prices', on('/home/ada/shop'))
    await lab.plane.act(stopped.id, { act: 'stop', text: 'It is to keep its name.' }, anOwner, null)
    const draft = await lab.submit('Run sudo make install and fix what fails', on('/home/ada/tools'))
    await until(() => ['APPLIED', 'BLOCKED'].includes(lab.plane.task(applied.id).status))
    await until(() => lab.plane.counts().APPLIED === 2 && lab.plane.counts().BLOCKED === 1)
    lab.plane.store.heartbeat(running.id, lab.plane.task(running.id).fence, {
      leaseUntil: Date.now() + 60_000,
      chargeMs: 0,
      chargeTokens: 182_400,
      chargeCostUsd: 0.74,
      step: 3,
      attempt: 1,
    })
    await lab.plane.review(
      applied.id,
      {
        text: null,
        comments: [{ path: 'src/receipt.py', line: 8, text: 'Say which way halves are rounded.' }],
        requestChanges: false,
        budget: {},
      },
      anOwner,
      null,
    )
    lab.left.diff = diff
    lab.left.log = log
    lab.plane.store.recordEgress([
      {
        taskId: applied.id,
        box: 'step-1',
        id: 1,
        at: Date.now(),
        kind: 'upstream',
        host: 'anthropic',
        port: null,
        method: 'POST',
        path: '/v1/messages',
        verdict: 'allowed',
        rule: 'anthropic',
        text: 'The model of the agent.',
        address: '198.51.100.7',
        bytesUp: 18_250,
        bytesDown: 5120,
      },
      {
        taskId: applied.id,
        box: 'step-1',
        id: 2,
        at: Date.now(),
        kind: 'tunnel',
        host: 'example.com',
        port: 443,
        method: null,
        path: null,
        verdict: 'denied',
        rule: 'no rule',
        text: 'No rule allows example.com: name it under policy.egress for a new task.',
        address: null,
        bytesUp: null,
        bytesDown: null,
      },
    ])
    return { draft, running, applied }
  }
  return { script, behaviour: { findings }, fill }
}
