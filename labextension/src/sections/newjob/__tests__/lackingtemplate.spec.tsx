import * as React from 'react';

import { click, draw } from '../../../components/__tests__/render';
import { useModel } from '../../../components/useModel';
import { Problem } from '../../../problem';
import { Footer } from '../footer';
import { NewJobModel } from '../model';
import { TemplateField } from '../pickers';
import { Cluster, FakeServer, FakeUploader, settle, Source } from './fakes';

function Form({ model }: { model: NewJobModel }): React.JSX.Element {
  useModel(model);
  return (
    <>
      <TemplateField model={model} />
      <Footer model={model} onOpenJob={() => undefined} />
    </>
  );
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

it('says that the template could not be loaded, and loads it when asked to', async () => {
  const server = new FakeServer();
  const model = new NewJobModel({
    client: server.client,
    uploader: new FakeUploader(),
    templates: new Source([]),
    images: new Source([]),
    cluster: new Cluster(),
    store: { load: async () => null, save: () => undefined },
    newKey: () => 'key'
  });
  const { host, get, remove } = draw(<Form model={model} />);
  const settled = () => React.act(() => settle());
  const status = () =>
    host.querySelector('.jp-slurmdash-Footer-status')!.textContent;
  const { getTemplate } = server.client;
  let fail: (problem: Problem) => void = () => undefined;
  server.client.getTemplate = () => new Promise((_, reject) => (fail = reject));

  void React.act(() => void model.selectTemplate('other-v1'));
  await settled();
  expect(status()).toBe('Loading…');
  fail(new Problem({ code: 'network' }));
  await settled();
  expect(status()).toBe('The template could not be loaded.');
  expect(get('slurmdash-submit').getAttribute('aria-disabled')).toBe('true');

  server.client.getTemplate = getTemplate;
  click(host.querySelector('[role="alert"] button')!);
  await settled();
  expect(status()).toBe('Ready.');
  expect(host.querySelector('[role="alert"]')).toBeNull();
  remove();
});
