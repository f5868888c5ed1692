import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseAttestation } from '../../../src/domain/attestation.ts'
import { usualScopes } from '../../../src/domain/scopes.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { pathOf } from '../../support/dashboard/lab.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { openTestPlane, type TestPlane } from '../../support/plane.ts'
import { aRepository, git } from '../../support/repository.ts'

// The built dashboard, the real engine, and a person who has nothing but a token and a browser.

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane('http: { listen: "127.0.0.1:0" }\n')
})
afterAll(() => plane.close())

const script = 'echo "mending a.txt"; sleep 1; echo mended > a.txt; echo "TASK_STATE: DONE"'

it('a task is started, approved, watched, looked through, verified and merged in a browser alone', async () => {
  const repository = aRepository()
  const { secret } = await plane.client.createToken({
    name: 'ada',
    role: 'owner',
    scopes: usualScopes.owner,
    expiresAt: null,
  })
  await using context = await (await sharedBrowser()).newContext({ baseURL: plane.origin() ?? '' })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  await page.goto('/')
  await page.getByLabel('Token').fill(secret)
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'New task' }).click()
  await page.getByLabel('Goal').fill('Mend the file')
  await page.getByLabel('Repository').fill(repository)
  await page.getByLabel('Agent').selectOption('command')
  await page.getByLabel('Command that the agent runs').fill(script)
  await page.getByLabel('Test command').fill('grep mended a.txt')
  await page.getByText('Budget, setup and more').click()
  await page.getByLabel('As a draft').check()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('link', { name: /^Task / }).click()
  await page.getByRole('button', { name: 'Approve' }).click()

  await sees(page.getByRole('region', { name: 'Output of the boxes' }).getByText('mending a.txt'))
  await sees(page.getByText('applied, not delivered yet'))
  await page.getByRole('link', { name: 'Changes' }).click()
  await sees(page.getByRole('region', { name: 'Changes of a.txt' }).getByText('mended'))
  await page.getByRole('link', { name: 'Tests' }).click()
  await sees(page.getByText('test passed'))
  await sees(page.getByRole('heading', { name: 'Before the first step' }))
  await page.getByRole('link', { name: 'Proof' }).click()
  await sees(page.getByRole('cell', { name: 'step 1, attempt 1' }))
  await page.getByRole('button', { name: 'Verify now' }).click()
  await sees(page.getByText('All holds'))
  await page.getByRole('button', { name: 'Merge…' }).click()
  await page.getByRole('button', { name: 'Merge it now' }).click()
  await sees(page.getByRole('heading', { name: 'Merged into main' }))
  await page.getByRole('link', { name: 'Health' }).click()
  await sees(page.getByText('posture'))

  const [task] = await plane.client.tasks({})
  if (task === undefined) throw new Error('it was started')
  const said = (await plane.client.attestations(task.id)).map(({ body }) => parseAttestation(body))
  const posture = said.find((each) => each?.kind === 'step')?.posture
  if (posture == null) throw new Error('it was attested')
  await page.goto(pathOf(task.id, 'proof'))
  const walls = page.getByRole('row', { name: /step 1, attempt 1/ })
  await sees(walls.getByText(posture.level))
  if (posture.missing.length > 0) {
    await walls.getByText(`${posture.missing.length} missing`).click()
    expect(await walls.getByRole('listitem').allTextContents()).toEqual(posture.missing)
  }
  expect(git(repository, 'show', 'main:a.txt')).toBe('mended\n')
})
