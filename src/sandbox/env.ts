import type { BoxRequest } from '../domain/box.ts'
import { type Egress, gatewayAddress } from '../domain/egress.ts'
import { cacheFolder, homeFolder } from './places.ts'

type Variables = Readonly<Record<string, string>>

const always = {
  HOME: homeFolder,
  USER: 'agent',
  LOGNAME: 'agent',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  TERM: 'dumb',
  CI: '1',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  GIT_TERMINAL_PROMPT: '0',
  // The private repository may belong to another user than the box has.
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
}

// Without a network, package managers should say so at once and not after minutes of tries.
const offline = { npm_config_offline: 'true', PIP_NO_INDEX: '1' }

// What the gateway denies stays denied: few tries, close together.
const online = {
  npm_config_fetch_retries: '2',
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '5000',
  PIP_RETRIES: '2',
}

/** The whole environment of a box: a fixed list, and what the request adds. Nothing of the host's own is in it. */
export function boxEnv(request: BoxRequest): Variables {
  const { kind, env, caches } = request
  const { egress } = request.kind === 'agent' || request.kind === 'setup' ? request : { egress: null }
  return {
    ...always,
    ...(canTunnel(egress) ? online : offline),
    ...(egress === null ? {} : proxied()),
    ...cached(kind === 'setup' ? caches : []),
    ...env,
  }
}

/** Without a name that it may tunnel to, a box reaches no registry either. */
function canTunnel(egress: Egress | null): boolean {
  return egress !== null && egress.tunnels.length > 0
}

/** For convenience only: nothing but the channel leads out, whatever a program makes of this. */
function proxied(): Variables {
  const proxy = `http://${gatewayAddress}`
  const direct = '127.0.0.1,localhost'
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: direct,
    no_proxy: direct,
    // A project's .npmrc may name a proxy of its own; these are stronger.
    npm_config_proxy: proxy,
    npm_config_https_proxy: proxy,
    npm_config_noproxy: direct,
    NODE_USE_ENV_PROXY: '1',
  }
}

/** Nobody is pointed at a cache that is only read: pip does without one then, and what npm does not find there it cannot add. */
function cached(filled: readonly string[]): Variables {
  const variables: Record<string, string> = {}
  if (filled.includes('npm')) {
    variables['npm_config_cache'] = cacheFolder('npm')
    variables['npm_config_logs_dir'] = '/tmp/npm-logs'
  }
  if (filled.includes('pip')) variables['PIP_CACHE_DIR'] = cacheFolder('pip')
  else variables['PIP_NO_CACHE_DIR'] = '1'
  return variables
}
