/** A small mark per kind of plugin. */
import { CreditCardOutlined, FileTextOutlined, IdcardOutlined } from '@ant-design/icons';

export function KindMark({ kind }: { kind: string }) {
  return <span className={`kind-mark kind-${kind}`}>{kind === 'identity' ? <IdcardOutlined /> : kind === 'payment' ? <CreditCardOutlined /> : <FileTextOutlined />}</span>;
}
