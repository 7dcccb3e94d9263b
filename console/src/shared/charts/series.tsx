/** Quantity over time as bars, the running period hatched, with the same numbers as a table one click away. */
import { BarChartOutlined, TableOutlined } from '@ant-design/icons';
import { Segmented, Skeleton } from 'antd';
import { lazy, Suspense, useMemo, useState, type ReactNode } from 'react';
import { colors, SERIES, useTheme } from '@/app/theme';
import { getLocale, useT } from '@/i18n';
import { formatCompact, formatNumber } from '@/shared/format';
import { Section } from '@/shared/ui/page';

const EChart = lazy(() => import('./echart'));

export interface SeriesChartProps {
  title: ReactNode;
  /** Stands beside the switch. */
  extra?: ReactNode;
  points: { at: string; quantity: number }[];
  unit: string;
  label: string;
  bucket: 'hour' | 'day';
  height?: number;
  timeZone?: string;
}

export function SeriesSection({ title, extra, points, unit, label, bucket, height = 260, timeZone }: SeriesChartProps) {
  const { t, locale } = useT();
  const { name } = useTheme();
  const [view, setView] = useState<'chart' | 'table'>('chart');
  const format = useMemo(
    () => new Intl.DateTimeFormat(locale === 'zh' ? 'zh-CN' : 'en-US', bucket === 'day' ? { month: 'short', day: 'numeric', timeZone } : { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }),
    [locale, bucket, timeZone],
  );
  const option = useMemo(() => {
    const c = colors(name);
    const color = SERIES[name][0]!;
    const span = bucket === 'day' ? 86_400_000 : 3_600_000;
    const now = Date.now();
    return {
      aria: { enabled: true },
      animationDuration: 250,
      grid: { left: 8, right: 8, top: 12, bottom: 4, containLabel: true },
      tooltip: {
        trigger: 'axis',
        axisPointer: { type: 'shadow', shadowStyle: { color: c.fill, opacity: 0.6 } },
        backgroundColor: c.raised,
        borderColor: c.border,
        textStyle: { color: c.text, fontSize: 12 },
        valueFormatter: (v: unknown) => `${formatNumber(Number(v))} ${unit}`,
      },
      xAxis: {
        type: 'category',
        data: points.map((p) => format.format(new Date(p.at))),
        axisLine: { lineStyle: { color: c.border } },
        axisTick: { show: false },
        axisLabel: { color: c.text3, fontSize: 11, hideOverlap: true },
      },
      yAxis: {
        type: 'value',
        minInterval: 1,
        splitNumber: 4,
        axisLabel: { color: c.text3, fontSize: 11, formatter: (v: number) => formatCompact(v) },
        splitLine: { lineStyle: { color: c.borderSoft } },
      },
      series: [
        {
          type: 'bar',
          name: label,
          barMaxWidth: 28,
          barCategoryGap: '28%',
          data: points.map((p) => {
            const partial = new Date(p.at).getTime() + span > now;
            return {
              value: p.quantity,
              itemStyle: { color, borderRadius: [2, 2, 0, 0], opacity: partial ? 0.75 : 1, decal: partial ? { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [3, 3], rotation: -Math.PI / 4, color: c.surface } : { symbol: 'none' } },
            };
          }),
        },
      ],
    };
  }, [points, name, unit, label, bucket, format]);

  const toggle = (
    <Segmented
      size="small"
      value={view}
      onChange={setView}
      options={[
        { value: 'chart', icon: <BarChartOutlined />, title: t('usage.as_chart') },
        { value: 'table', icon: <TableOutlined />, title: t('usage.as_table') },
      ]}
    />
  );
  return (
    <Section title={title} extra={<>{extra}{toggle}</>}>
      {view === 'chart' ? (
        <Suspense fallback={<Skeleton.Node active style={{ width: '100%', height }} />}>
          <EChart option={option} height={height} label={label} />
        </Suspense>
      ) : (
        <div className="scroll-box" style={{ maxHeight: height }} tabIndex={0} role="region" aria-label={label}>
          <table className="plain" lang={getLocale()}>
            <thead>
              <tr>
                <th>{t('audit.at')}</th>
                <th className="num">{unit}</th>
              </tr>
            </thead>
            <tbody>
              {points.map((p) => (
                <tr key={p.at}>
                  <td>{format.format(new Date(p.at))}</td>
                  <td className="num">{formatNumber(p.quantity)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
