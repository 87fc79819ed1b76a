/** Our commands; other extensions and shortcuts call them by these names. */
export namespace CommandIDs {
  /** `{mode?: 'panel' | 'tab', template_id?, image_id?}` */
  export const newJob = 'slurmdash:new-job';
  /** `{job_id}` */
  export const openJob = 'slurmdash:open-job';
  /** `{job_id}` */
  export const cancelJob = 'slurmdash:cancel-job';
  export const refresh = 'slurmdash:refresh';
  export const scanImages = 'slurmdash:scan-images';
  /** `{image_id}`: a template from what the image says of itself */
  export const draftTemplate = 'slurmdash:draft-template';
  export const tryExample = 'slurmdash:try-example';
  /** The files selected in the file browser. */
  export const useFiles = 'slurmdash:use-files';
}
