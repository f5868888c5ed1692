import { describe, expect, test } from 'vitest'
import { readConnect, readRequest } from '../../src/gateway/target.ts'

const name = (host: string, port: number) => ({ host: { kind: 'name', host }, port })

describe('CONNECT', () => {
  test.each([
    ['allowed.test:443', name('allowed.test', 443)],
    ['ALLOWED.test.:8443', name('allowed.test', 8443)],
    ['[2001:db8::1]:443', { host: { kind: 'address', host: '[2001:db8::1]' }, port: 443 }],
  ])('%s', (authority, target) => {
    expect(readConnect(authority)).toEqual({ kind: 'tunnel', target })
  })

  test.each([
    '',
    'allowed.test',
    ':443',
    'allowed.test:',
    'allowed.test:0',
    'allowed.test:65536',
    'allowed.test:443:443',
    'allowed.test:4a3',
    'user@allowed.test:443',
    '2001:db8::1:443',
    'allowed.test%00.evil.test:443',
    'http://allowed.test:443',
  ])('%j is none', (authority) => {
    expect(readConnect(authority).kind).toBe('unreadable')
  })
})

describe('requests', () => {
  test.each<[string, object]>([
    ['http://allowed.test/a?b', { kind: 'forward', target: name('allowed.test', 80), path: '/a?b' }],
    ['HTTP://Allowed.Test:8080', { kind: 'forward', target: name('allowed.test', 8080), path: '/' }],
    ['http://allowed.test?b', { kind: 'forward', target: name('allowed.test', 80), path: '/?b' }],
    [
      '/anthropic/v1/messages?beta=true',
      { kind: 'upstream', name: 'anthropic', path: '/v1/messages', query: '?beta=true' },
    ],
    ['/anthropic', { kind: 'upstream', name: 'anthropic', path: '/', query: '' }],
    ['/anthropic/', { kind: 'upstream', name: 'anthropic', path: '/', query: '' }],
    [
      'http://127.0.0.1:3128/anthropic/v1/models',
      { kind: 'upstream', name: 'anthropic', path: '/v1/models', query: '' },
    ],
    [
      'http://localhost:3128/anthropic/v1/models',
      { kind: 'upstream', name: 'anthropic', path: '/v1/models', query: '' },
    ],
  ])('%s', (url, request) => {
    expect(readRequest(url)).toEqual(request)
  })

  test.each([
    '',
    '*',
    '/',
    '//evil.test/',
    'allowed.test',
    'https://allowed.test/',
    'ftp://allowed.test/',
    'http://',
    'http://user@allowed.test/',
    'http://allowed.test:x/',
    'http://allowed.test:80:80/',
    'http://0x7f.1/',
    '/Anthropic/v1',
    '/../anthropic',
    'http:/allowed.test',
    'http://allowed.test#@evil.test/',
  ])('%j is none', (url) => {
    expect(readRequest(url).kind).toBe('unreadable')
  })

  test('127.0.0.1 at another port is not the gateway', () => {
    expect(readRequest('http://127.0.0.1:80/anthropic')).toMatchObject({ kind: 'forward' })
  })
})
