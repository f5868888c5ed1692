import { diagnoseClosed } from '../../../../control-plane/errands.ts'
import { thisProcess } from '../../../../src/config/environment.ts'
import { loadConfig } from '../../../../src/config/load.ts'

// Says what `cofferdam doctor` finds of one repository. argv: the configuration, and the name of the repository.
const [config, name = ''] = process.argv.slice(2)
const around = thisProcess()
const findings = await diagnoseClosed(loadConfig({ config }, around), around)
process.stdout.write(JSON.stringify(findings.filter((finding) => finding.name.endsWith(` ${name}`))))
