import type { components } from './schema';

type Schemas = components['schemas'];

export type Health = Schemas['Health'];
export type Node = Schemas['Node'];
export type Partition = Schemas['Partition'];
export type Image = Schemas['Image'];
export type ImageList = Schemas['ImageList'];
export type ImageMetadata = Schemas['ImageMetadata'];
export type NodeError = Schemas['NodeError'];
export type Scan = Schemas['Scan'];
export type TemplateSummary = Schemas['TemplateSummary'];
export type TemplateList = Schemas['TemplateList'];
export type Template = Schemas['Template'];
export type FileSlot = Schemas['FileSlot'];
export type UploadSession = Schemas['UploadSession'];
export type UploadedFile = Schemas['UploadedFile'];
export type FileValidation = Schemas['FileValidation'];
export type JobSubmit = Schemas['JobSubmit'];
export type SlurmOptions = Schemas['SlurmOptions'];
export type Check = Schemas['Check'];
export type Preview = Schemas['Preview'];
export type Job = Schemas['Job'];
export type JobList = Schemas['JobList'];
export type JobFileList = Schemas['JobFileList'];
export type LogChunk = Schemas['LogChunk'];
