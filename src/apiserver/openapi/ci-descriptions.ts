import type { TypeDescription } from './descriptions.ts'

const prefix = 'k8ts.api.ci.v1.'

export const isCiType = (definition: string): boolean => definition.startsWith(prefix)

/** Descriptions of the kinds of `ci.k8ts.dev`, for `kubectl explain`. */
export function ciDescriptions(definition: string): TypeDescription | undefined {
  if (!isCiType(definition)) return undefined
  const type = definition.slice(prefix.length)
  const list = /^(Project|Pipeline|Workflow|Job)List$/.exec(type)
  const found = list ? { description: `${type} is a list of ${list[1]} objects.`, items: 'The objects.' } : types[type]
  if (!found) return undefined
  const { description, ...fields } = { ...shared, ...found }
  return { ...(description ? { description } : {}), fields: new Map(Object.entries(fields)) }
}

// What these names mean wherever they stand; a type that says otherwise wins.
const shared: Record<string, string> = {
  apiVersion: 'The group and version of the object.',
  kind: 'The kind of the object.',
  metadata: "Standard object's metadata.",
  observedGeneration: 'The generation of the object that this status is about.',
  startTime: 'When it began to run.',
  completionTime: 'When it ended, however it ended.',
  message: 'Why it is as it is, for people.',
  phase: 'How far it has come.',
  name: 'Its name.',
}

const types: Record<string, Record<string, string>> = {
  Project: {
    description: 'Project is a source repository whose pushes run pipelines.',
    spec: 'Where the source is and how its pipelines run.',
    status: 'What is known of the project and its last pipeline.',
  },
  ProjectSpec: {
    description: 'ProjectSpec says where the source of a project is and how its pipelines run.',
    repository: 'A repository of another host; without it, the project has a repository of its own in the cluster, which takes pushes.',
    defaultBranch: 'The branch of pipelines that name neither branch nor tag.',
    configPath: 'Path of the pipeline configuration in the repository; .circleci/config.yml when absent.',
    serviceAccountName: 'The service account of job pods.',
    environmentSecretName: 'The Secret whose keys are variables of every job; PROJECT-environment when absent.',
    contexts: 'The contexts that jobs of this project may use; any of the namespace when absent.',
    concurrency: 'How many jobs of the project run at a time.',
    infrastructureRetries:
      'How often a job starts again that the infrastructure failed (a lost node, an evicted pod). Failed steps are never repeated.',
    jobTimeoutSeconds: 'Seconds after which a job is ended.',
    podRetentionSeconds: 'Seconds for which the pods of a finished job are kept.',
    triggers: 'Which pushes make pipelines.',
    notifications: 'Who is told of pipelines that end.',
    historyLimit: 'How many finished pipelines are kept.',
    suspend: 'Pushes make no pipelines while this is true.',
  },
  ProjectRepository: {
    description: 'ProjectRepository is a git repository of another host.',
    url: 'Its address, https:// or ssh://.',
    credentialsSecretName: 'The Secret with the credentials to fetch from it.',
    webhookSecretName: "The Secret with which the host signs its webhooks' deliveries.",
  },
  ProjectTriggers: {
    description: 'ProjectTriggers says which pushes make pipelines.',
    branches: 'Branches that make pipelines: names, or regular expressions between slashes; all when absent.',
    ignoreBranches: 'Branches that do not.',
    tags: 'Whether pushed tags make pipelines.',
    push: 'Whether pushes make pipelines at all.',
    autoCancelRedundant: 'Whether a push cancels the running pipelines of older commits of its branch; never of the default branch.',
  },
  ProjectNotification: {
    description: 'ProjectNotification is a receiver that is told of pipelines that end.',
    type: 'The form of what is sent.',
    url: 'Where it is sent; better kept in a Secret when the address is a credential.',
    secretName: 'The Secret whose key `url` is the address.',
    on: 'The outcomes that are told; Success, Failure and Fixed when absent.',
    branches: 'The branches whose pipelines are told of; all when absent.',
    templates: 'Texts by outcome in place of the built-in ones.',
  },
  ProjectStatus: {
    description: 'ProjectStatus is what is known of a project.',
    gitURL: "The address of the project's own repository in the cluster.",
    lastPipelineNumber: 'The highest number that a pipeline of the project has.',
    lastJobNumber: 'The highest number that a job of the project has.',
    lastPipeline: 'The last pipeline.',
  },
  ProjectLastPipeline: {
    description: 'ProjectLastPipeline names the last pipeline of a project.',
    number: 'Its number.',
    branch: 'The branch it ran for.',
    phase: 'How it went.',
  },
  Pipeline: {
    description: "Pipeline is one run of a project's configuration for one commit. Creating one starts it.",
    spec: 'What runs.',
    status: 'How it goes.',
  },
  PipelineSpec: {
    description: 'PipelineSpec says what a pipeline runs.',
    projectName: 'The project in the same namespace.',
    branch: 'The branch it is for.',
    tag: 'The tag it is for, in place of a branch.',
    revision: 'The commit; the head of the branch or the tag when absent.',
    baseRevision: 'The commit that the branch had before the push.',
    parameters: "Values of the configuration's pipeline parameters.",
    trigger: 'What made the pipeline.',
    actor: 'Who made it.',
    config: 'A configuration in place of the one of the commit.',
    workflow: "The one workflow that runs; all that the configuration's conditions select when absent.",
    cancel: 'Set to true, what of the pipeline has not ended is canceled.',
  },
  PipelineTrigger: {
    description: 'PipelineTrigger says what made a pipeline.',
    type: 'The kind of event.',
    commit: 'The commit as the event describes it.',
  },
  PipelineCommit: {
    description: 'PipelineCommit describes a commit.',
    subject: 'The first line of its message.',
    author: 'Who wrote it.',
  },
  PipelineStatus: {
    description: 'PipelineStatus is how a pipeline goes.',
    number: 'Its number within the project.',
    revision: 'The commit that it runs for.',
    commit: 'That commit, described.',
    problems: 'What is wrong with the configuration; a pipeline with problems ends as Errored.',
    warnings: 'What of the configuration is understood but not followed.',
    workflows: 'Its workflows and how they go.',
  },
  ConfigProblem: {
    description: 'ConfigProblem is a place in a configuration and what is wrong there.',
    file: 'The file.',
    line: 'The line, counted from 1.',
    column: 'The column, counted from 1.',
    message: 'What is wrong, and what to write instead.',
  },
  PipelineWorkflow: { description: 'PipelineWorkflow is a workflow of a pipeline and how it goes.' },
  Workflow: {
    description: 'Workflow runs the jobs of a pipeline in the order that they require.',
    spec: 'Which jobs run.',
    status: 'How they go.',
  },
  WorkflowSpec: {
    description: 'WorkflowSpec says which jobs a workflow runs.',
    projectName: 'The project in the same namespace.',
    pipelineName: 'The pipeline that it belongs to.',
    workflow: 'Its name in the configuration.',
    definition: 'Its compiled configuration.',
    rerunOf: 'The workflow that this one repeats.',
    rerunFrom: 'Whether all jobs run again, or those that failed and what depends on them.',
    rerunJobs: 'The jobs that run again, in place of rerunFrom.',
    cancel: 'Set to true, what of the workflow has not ended is canceled.',
  },
  WorkflowStatus: {
    description: 'WorkflowStatus is how the jobs of a workflow go.',
    jobs: 'Every job of the workflow, also those that do not run yet.',
  },
  WorkflowJobStatus: {
    description: 'WorkflowJobStatus is how one job of a workflow goes.',
    type: 'Whether it builds, waits for an approval, or does nothing.',
    jobName: 'The Job object, once there is one.',
  },
  Job: {
    description: 'Job runs the steps of one job of a workflow in a pod, or waits for an approval.',
    spec: 'What runs.',
    status: 'How it goes.',
  },
  JobSpec: {
    description: 'JobSpec says what a job runs.',
    projectName: 'The project in the same namespace.',
    pipelineName: 'The pipeline that it belongs to.',
    workflowName: 'The Workflow object that it belongs to.',
    job: 'Its name in the configuration.',
    type: 'Whether it builds, waits for an approval, or does nothing.',
    definition: 'Its compiled configuration.',
    contexts: 'The contexts whose variables it gets.',
    serialGroup: 'Jobs of one group run one after the other.',
    requires: 'The jobs that it waited for.',
    workspaces: 'The jobs whose workspaces it attaches.',
    cancel: 'Set to true, it is ended.',
    approved: 'Set to true, an approval is given.',
    approvedBy: 'Who gave it.',
  },
  JobStatus: {
    description: 'JobStatus is how a job goes.',
    number: 'Its number within the project.',
    attempt: 'Which start of the job this is: the infrastructure can fail one.',
    instances: 'Its pods, one for each of its parallel instances.',
    infrastructureFailures: 'The starts that the infrastructure failed.',
    failure: 'The step that failed first.',
    tests: 'The test results that it stored.',
    queuedTime: 'When it was ready to run.',
    podsRemovedTime: 'When its pods were removed.',
  },
  JobInstance: {
    description: 'JobInstance is one of the pods that run a job.',
    index: 'Which of the parallel instances it is, from 0.',
    podName: 'The pod.',
    reason: 'Why it is in its phase, in one word.',
    steps: 'Its steps.',
    failure: 'Its step that failed first.',
    tests: 'The test results that it stored.',
    artifacts: 'How many artifacts it stored.',
  },
  StepStatus: {
    description: 'StepStatus is how one step goes.',
    index: 'Its place among the steps, from 0.',
    exitCode: 'The exit code of its command.',
    durationMilliseconds: 'How long it ran, in milliseconds.',
    source: 'Where it stands in the configuration.',
  },
  SourceLocation: {
    description: 'SourceLocation is a place in a file.',
    file: 'The file.',
    line: 'The line, counted from 1.',
  },
  JobFailure: {
    description: 'JobFailure is the step by which a job failed.',
    instance: 'The instance whose step it was.',
    step: 'Its place among the steps, from 0.',
    exitCode: 'The exit code of its command.',
    source: 'Where it stands in the configuration.',
    output: 'The last lines that it wrote.',
  },
  InfrastructureFailure: {
    description: 'InfrastructureFailure is a start of a job that failed for no fault of the job.',
    attempt: 'Which start it was.',
    index: 'Which of the parallel instances it was.',
    podName: 'The pod.',
    reason: 'Why, in one word.',
    time: 'When.',
  },
  TestSummary: {
    description: 'TestSummary counts test results.',
    total: 'How many tests ran.',
    failed: 'How many failed.',
    skipped: 'How many were skipped.',
    failures: 'The first of those that failed.',
  },
  TestFailure: {
    description: 'TestFailure is a test that failed.',
    className: 'The class of the test.',
    file: 'Its file.',
  },
}
