// The import directions of the project. Each rule says in its comment what it protects.
const only = (name, comment, libraries, home) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(src|control-plane)/', pathNot: home },
  to: {
    path: libraries.flatMap((library) => [`node_modules/${library}/`, `node_modules/@types/${library}/`]),
  },
})

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-is-pure',
      comment: 'The domain decides; it does no I/O and knows no adapter.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: {
        pathNot: '^(src/domain/|node_modules/(zod|ignore|ipaddr\\.js|croner)/|(?:node:)?(?:crypto|url)$)',
      },
    },
    {
      name: 'adapters-do-not-meet',
      comment: 'An adapter knows the domain, its own folder and its own library.',
      severity: 'error',
      from: {
        path: '^src/(sandbox|gateway|worktree|agents|discord|webhooks|forges|search|client|config|dashboard)/',
      },
      to: { path: '^src/(?!domain/)', pathNot: '^src/$1/' },
    },
    {
      name: 'src-does-not-know-the-control-plane',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^control-plane/' },
    },
    {
      name: 'dashboard-runs-in-a-browser',
      comment:
        'What browsers run knows the domain by its types, which are gone when it runs, and the few files that they shall get.',
      severity: 'error',
      from: { path: '^src/dashboard/', pathNot: 'rolldown\\.config\\.ts$' },
      to: {
        pathNot:
          '^(src/dashboard/|src/domain/(?:standing|retold|withdrawn|laid-open)\\.ts$|node_modules/preact/)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'browsers-get-no-more-of-the-domain',
      severity: 'error',
      from: { path: '^src/domain/(?:standing|retold|withdrawn|laid-open)\\.ts$' },
      to: { dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nothing-imports-the-dashboard',
      severity: 'error',
      from: { path: '^(src/(?!dashboard/)|control-plane/)' },
      to: { path: '^src/dashboard/' },
    },
    {
      name: 'cli-enters-by-main',
      comment: 'The command line is no adapter: it may open the control plane or talk to one.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^(control-plane/(?!main\\.ts)|src/(?!cli/|client/|domain/|config/))' },
    },
    {
      name: 'nothing-imports-the-cli',
      severity: 'error',
      from: { path: '^(src/(?!cli/)|control-plane/)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'only-main-wires-adapters',
      comment: 'The control plane sees adapters through the interfaces of the domain.',
      severity: 'error',
      from: { path: '^control-plane/', pathNot: '^control-plane/(open|errands|adapters)\\.ts$' },
      to: { path: '^src/(?!domain/)' },
    },
    {
      name: 'sources-do-not-import-tests',
      severity: 'error',
      from: { path: '^(src|control-plane)/' },
      to: { path: '^test/' },
    },
    only('preact-in-dashboard', 'preact is for browsers', ['preact', 'diff2html'], '^src/dashboard/'),
    only('docker-in-sandbox', 'dockerode lives in one place', ['dockerode'], '^src/sandbox/docker/'),
    only(
      'tar-at-the-edges',
      'tar-fs lives where files enter or leave a box',
      ['tar-fs'],
      '^src/(sandbox/docker|worktree)/',
    ),
    only('sqlite-in-store', 'better-sqlite3 lives in the store', ['better-sqlite3'], '^control-plane/store/'),
    only('git-in-worktree', 'simple-git lives in the worktree adapter', ['simple-git'], '^src/worktree/'),
    only(
      'hono-in-http',
      'hono lives in the HTTP app',
      ['hono', '@hono', 'hono-rate-limiter'],
      '^control-plane/http/',
    ),
    only(
      'metrics-in-one-place',
      'prom-client lives in one file',
      ['prom-client'],
      '^control-plane/metrics\\.ts$',
    ),
    only('discord-in-discord', 'discord.js lives in its front end', ['discord\\.js'], '^src/discord/'),
    only(
      'webhooks-in-webhooks',
      'standardwebhooks lives in its adapter',
      ['standardwebhooks'],
      '^src/webhooks/',
    ),
    only(
      'forges-in-forges',
      'the clients of forges live in their adapter',
      ['@octokit', '@gitbeaker'],
      '^src/forges/',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
