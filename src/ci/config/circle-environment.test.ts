import assert from 'node:assert/strict'
import { test } from 'node:test'
import { circleEnvironment } from './circle-environment.ts'
import type { JobValues } from './circle-environment.ts'

const values: JobValues = {
  organization: 'blog',
  repository: 'app',
  repositoryUrl: 'https://git.local/blog/app',
  revision: 'c0ffee',
  branch: 'main',
  buildNum: 12,
  job: 'test',
  node: { index: 1, total: 3 },
  pipelineId: 'p-1',
  pipelineNumber: 7,
  workflowId: 'w-1',
  workflowJobId: 'j-1',
  workspaceId: 'w-1',
  workingDirectory: '~/project',
  username: 'ann',
}

test('a job of a branch has no tag', () => {
  assert.deepEqual(circleEnvironment(values), {
    CI: 'true',
    CIRCLECI: 'true',
    CIRCLE_BRANCH: 'main',
    CIRCLE_SHA1: 'c0ffee',
    CIRCLE_BUILD_NUM: '12',
    CIRCLE_JOB: 'test',
    CIRCLE_NODE_INDEX: '1',
    CIRCLE_NODE_TOTAL: '3',
    CIRCLE_PIPELINE_ID: 'p-1',
    CIRCLE_PIPELINE_NUM: '7',
    CIRCLE_PROJECT_REPONAME: 'app',
    CIRCLE_PROJECT_USERNAME: 'blog',
    CIRCLE_REPOSITORY_URL: 'https://git.local/blog/app',
    CIRCLE_USERNAME: 'ann',
    CIRCLE_WORKFLOW_ID: 'w-1',
    CIRCLE_WORKFLOW_JOB_ID: 'j-1',
    CIRCLE_WORKFLOW_WORKSPACE_ID: 'w-1',
    CIRCLE_WORKING_DIRECTORY: '~/project',
  })
})

test('a job of a tag has no branch, and pull requests are listed', () => {
  const { branch: _, ...rest } = values
  const variables = circleEnvironment({ ...rest, tag: 'v1', buildUrl: 'https://ci.local/12', pullRequests: ['https://x/1', 'https://x/2'] })
  assert.equal(variables.CIRCLE_TAG, 'v1')
  assert.equal('CIRCLE_BRANCH' in variables, false)
  assert.equal(variables.CIRCLE_BUILD_URL, 'https://ci.local/12')
  assert.equal(variables.CIRCLE_PULL_REQUEST, 'https://x/1')
  assert.equal(variables.CIRCLE_PULL_REQUESTS, 'https://x/1,https://x/2')
})
