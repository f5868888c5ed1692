// The last line of test/all.sh: node test/sum.mjs <report> <passed checks> <failed checks> <exit code of the runner>
// Exits 1 where anything failed, also when the report is missing or knows less than the runner's exit code.
import { readFileSync } from 'node:fs'

const [path, ...numbers] = process.argv.slice(2)
const [passedChecks, failedChecks, runner] = numbers.map(Number)

let report = null
try {
  report = JSON.parse(readFileSync(path, 'utf8'))
} catch (error) {
  console.log(`No report of the tests: ${error.message}`)
}

// A file that could not be loaded, or whose hooks failed outside a test, holds no failed test of its own: all in it have failed.
const broken = (report?.testResults ?? []).filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
)
for (const { name, message } of broken) {
  console.log(`Failed as a whole: ${name}${message ? `: ${message.split('\n')[0]}` : ''}`)
}
// A process of tests that died takes its files with it: their tests have begun, or were to, and never ended.
const unended = (report?.testResults ?? [])
  .map(({ name, assertionResults }) => ({
    name,
    tests: assertionResults.filter((test) => test.status === 'pending').length,
  }))
  .filter(({ tests }) => tests > 0)
for (const { name, tests } of unended) console.log(`Not ended: ${tests} of the tests of ${name}`)
const notRun = broken.map((file) => file.assertionResults.filter((test) => test.status === 'skipped').length)
const sumOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0)

const passed = passedChecks + (report?.numPassedTests ?? 0)
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0) - sumOf(notRun)
let failed =
  failedChecks +
  (report?.numFailedTests ?? 0) +
  sumOf(notRun.map((tests) => Math.max(1, tests))) +
  sumOf(unended.map(({ tests }) => tests))
const unexplained = report === null || report.numTotalTests === 0 || (runner !== 0 && failed === failedChecks)
if (unexplained) {
  console.log(
    `The test runner ended with ${runner} without saying which test failed: counted as one failure.`,
  )
  failed += 1
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed > 0 ? 1 : 0)
