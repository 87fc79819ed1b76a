import * as React from 'react';

import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import { isMap, valueAt } from './document';
import { FormContext, Line, Tick } from './fields';

/** What the template asks of Slurm; the usual at once, the rest folded. */
export function Resources(): React.JSX.Element {
  const trans = useTrans();
  const { doc } = React.useContext(FormContext);
  const given = valueAt(doc, ['slurm']);
  const main: Array<[string, string, 'text' | 'number', string?]> = [
    ['partition', trans.__('Partition'), 'text', trans.__('the default')],
    ['nodes', trans.__('Nodes'), 'number'],
    ['ntasks', trans.__('Tasks'), 'number'],
    ['cpus_per_task', trans.__('CPUs per task'), 'number'],
    ['mem', trans.__('Memory per node'), 'text', '32G'],
    ['time', trans.__('Time limit'), 'text', '04:00:00'],
    ['gres', trans.__('GPUs and other resources'), 'text', 'gpu:1']
  ];
  const more: Array<[string, string, 'text' | 'number', string?]> = [
    ['constraint', trans.__('Node features'), 'text'],
    ['ntasks_per_node', trans.__('Tasks per node'), 'number'],
    ['mem_per_cpu', trans.__('Memory per CPU'), 'text', '4G'],
    ['account', trans.__('Account'), 'text'],
    ['qos', trans.__('QOS'), 'text'],
    ['reservation', trans.__('Reservation'), 'text'],
    ['array', trans.__('Array'), 'text', '0-9'],
    ['dependency', trans.__('Waits for'), 'text', 'afterok:123'],
    ['begin', trans.__('Earliest start'), 'text', 'now+1hour'],
    ['nodelist', trans.__('Nodes it must get'), 'text'],
    ['exclude', trans.__('Nodes it must not get'), 'text'],
    ['mail_type', trans.__('Mail when'), 'text', 'END,FAIL'],
    ['mail_user', trans.__('Mail to'), 'text'],
    ['nice', trans.__('Nice'), 'number'],
    ['output', trans.__('Output file'), 'text'],
    ['error', trans.__('Error file'), 'text']
  ];
  const used = isMap(given)
    ? more.filter(([name]) => given[name] !== undefined).length
    : 0;
  const other = isMap(given) ? given.other : undefined;
  const others = Object.entries(isMap(other) ? other : {}).map(
    ([name, value]) =>
      value === true ? `--${name}` : `--${name}=${String(value)}`
  );
  const draw = (rows: typeof main) =>
    rows.map(([name, label, kind, placeholder]) => (
      <Line
        key={name}
        path={['slurm', name]}
        label={label}
        kind={kind}
        placeholder={placeholder}
      />
    ));
  return (
    <Part title={trans.__('Resources')}>
      <div className="jp-slurmdash-Grid">{draw(main)}</div>
      <details>
        <summary>
          {used
            ? trans.__('More options (%1 set)', used)
            : trans.__('More options')}
        </summary>
        <div className="jp-slurmdash-Grid">
          {draw(more)}
          <Tick
            path={['slurm', 'exclusive']}
            label={trans.__('No other job on the nodes')}
          />
          <Tick
            path={['slurm', 'requeue']}
            label={trans.__('May be requeued')}
          />
        </div>
        {others.length > 0 && (
          <p className="jp-slurmdash-Quiet" data-testid="slurmdash-field-other">
            {trans.__('Without a field, to be changed in the YAML:')}{' '}
            <code>{others.join(' ')}</code>
          </p>
        )}
      </details>
    </Part>
  );
}
