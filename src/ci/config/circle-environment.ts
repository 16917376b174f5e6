/** What CircleCI's own variables say of one run of a job. */
export interface JobValues {
  /** The owner of the project: the part before the slash in names such as `blog/app`. */
  organization: string
  /** The repository's name, without its owner. */
  repository: string
  repositoryUrl: string
  revision: string
  branch?: string
  tag?: string
  /** The job's number, unique in its project. */
  buildNum: number
  previousBuildNum?: number
  /** Where the job can be looked at. */
  buildUrl?: string
  /** The job's name in its workflow. */
  job: string
  node: { index: number; total: number }
  pipelineId: string
  pipelineNumber: number
  workflowId: string
  workflowJobId: string
  workspaceId: string
  projectId?: string
  organizationId?: string
  /** As in the configuration: may begin with `~`. */
  workingDirectory: string
  username: string
  /** Addresses of the pull requests that the revision belongs to. */
  pullRequests?: string[]
}

/** The variables `CI` and `CIRCLE_*` of a job; what a job does not have is absent, not empty. */
export function circleEnvironment(values: JobValues): Record<string, string> {
  const pullRequests = values.pullRequests ?? []
  const variables: Record<string, string | number | undefined> = {
    CI: 'true',
    CIRCLECI: 'true',
    CIRCLE_BRANCH: values.branch,
    CIRCLE_TAG: values.tag,
    CIRCLE_SHA1: values.revision,
    CIRCLE_BUILD_NUM: values.buildNum,
    CIRCLE_PREVIOUS_BUILD_NUM: values.previousBuildNum,
    CIRCLE_BUILD_URL: values.buildUrl,
    CIRCLE_JOB: values.job,
    CIRCLE_NODE_INDEX: values.node.index,
    CIRCLE_NODE_TOTAL: values.node.total,
    CIRCLE_ORGANIZATION_ID: values.organizationId,
    CIRCLE_PIPELINE_ID: values.pipelineId,
    CIRCLE_PIPELINE_NUM: values.pipelineNumber,
    CIRCLE_PROJECT_ID: values.projectId,
    CIRCLE_PROJECT_REPONAME: values.repository,
    CIRCLE_PROJECT_USERNAME: values.organization,
    CIRCLE_PULL_REQUEST: pullRequests[0],
    CIRCLE_PULL_REQUESTS: pullRequests.length > 0 ? pullRequests.join(',') : undefined,
    CIRCLE_REPOSITORY_URL: values.repositoryUrl,
    CIRCLE_USERNAME: values.username,
    CIRCLE_WORKFLOW_ID: values.workflowId,
    CIRCLE_WORKFLOW_JOB_ID: values.workflowJobId,
    CIRCLE_WORKFLOW_WORKSPACE_ID: values.workspaceId,
    CIRCLE_WORKING_DIRECTORY: values.workingDirectory,
  }
  return Object.fromEntries(Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])))
}
