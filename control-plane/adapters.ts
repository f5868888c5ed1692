import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../src/config/environment.ts'
import type { Config } from '../src/config/load.ts'
import type { Engine } from '../src/domain/box.ts'
import type { HostPath } from '../src/domain/brand.ts'
import type { Gateway } from '../src/domain/gateway.ts'
import type { Secret } from '../src/domain/secret.ts'
import { createGateway } from '../src/gateway/gateway.ts'
import { anthropic } from '../src/gateway/upstreams/anthropic.ts'
import { dockerEngine, type DockerEngineOptions } from '../src/sandbox/docker/engine.ts'
import { imageTag } from '../src/sandbox/docker/image.ts'

type EngineMore = Pick<DockerEngineOptions, 'installation' | 'now' | 'log' | 'patience'>

/** The engine that an installation is configured with. */
export function engineOf(config: Config, data: HostPath, runtimeFolder: HostPath, more: EngineMore): Engine {
  const { socket, image, runtime } = config.engine
  return dockerEngine({
    ...more,
    socketPath: socket,
    user: config.box,
    scratch: join(data, 'scratch') as HostPath,
    runtimeFolder,
    imageTag: () => image ?? imageTag(),
    imageIsConfigured: image !== null,
    ...(runtime === null ? {} : { runtime }),
  })
}

/** The same engine for looking only: what its canary needs is made in a folder of its own, which goes with it. */
export function apartEngine(
  config: Config,
  around: Environment,
): Pick<Engine, 'describe' | 'image' | 'posture'> {
  const on = (folder: HostPath): Engine =>
    engineOf(config, folder, folder, { installation: 'none', patience: 5 })
  const there = on(config.dataFolder)
  return {
    describe: () => there.describe(),
    image: () => there.image(),
    async posture() {
      const folder = (await mkdtemp(join(around.tmp, 'cofferdam-'))) as HostPath
      try {
        return await on(folder).posture()
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

/** The gateway with its upstreams. What it adds to requests is revealed here and nowhere else. */
export function gatewayOf(config: Config, clock: () => number): Gateway {
  const settings = config.upstreams['anthropic']
  return createGateway({
    upstreams: [
      anthropic({
        ...(settings?.origin == null ? {} : { origin: settings.origin }),
        key: settings?.key?.reveal() ?? null,
      }),
    ],
    secrets: revealed(config.secrets),
    prices: config.prices.models,
    clock,
  })
}

/** For what looks for secrets in what boxes send and print. */
export function revealed(secrets: readonly Secret[]): readonly { name: string; value: string }[] {
  return secrets.map((secret) => ({ name: secret.name, value: secret.reveal() }))
}
