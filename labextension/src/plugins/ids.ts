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

  /** The rest: `{template_id?}`; without one, the template of the editor in front. */
  export const newTemplate = 'slurmdash:template-new';
  export const editTemplate = 'slurmdash:template-edit';
  export const saveTemplate = 'slurmdash:template-save';
  export const useTemplate = 'slurmdash:template-use';
  /** `{template_id?, name?}`; without a name the section asks for it. */
  export const cloneTemplate = 'slurmdash:template-clone';
  export const shareTemplate = 'slurmdash:template-share';
  export const unshareTemplate = 'slurmdash:template-unshare';
  /** Tries it without submitting. */
  export const checkTemplate = 'slurmdash:template-check';
  export const checkOfficialTemplates = 'slurmdash:templates-check-official';
  export const exportTemplate = 'slurmdash:template-export';
  export const templateVersions = 'slurmdash:template-versions';
  export const deleteTemplate = 'slurmdash:template-delete';
  export const restoreTemplate = 'slurmdash:template-restore';
  /** `{text?, image_id?}`; without a text a file is asked for */
  export const importTemplate = 'slurmdash:template-import';
  /** `{text?, name?}`: a template from a batch script; without a text the section asks for it */
  export const templateFromScript = 'slurmdash:template-from-script';
  /** The script that is selected in the file browser. */
  export const templateFromFile = 'slurmdash:template-from-file';
  /** `{job_id}` */
  export const templateFromJob = 'slurmdash:template-from-job';
  /** `{template_id, x, y}` */
  export const templateMenu = 'slurmdash:template-menu';
}
