/** A live line (uPlot): cheap enough to redraw every second. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colors, SERIES, useTheme } from '@/app/theme';

export interface LiveLineProps {
  /** Seconds since 1970, ascending. */
  times: number[];
  values: (number | null)[];
  height: number;
  /** Spoken and shown on hover. */
  label: string;
  axes?: boolean;
}

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const timeWithSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function clock(seconds: number): string {
  return (seconds % 60 === 0 ? time : timeWithSeconds).format(seconds * 1000);
}

export default function LiveLine({ times, values, height, label, axes = true }: LiveLineProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const { name } = useTheme();
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const c = colors(name);
    const stroke = SERIES[name][0]!;
    const axis: uPlot.Axis = { stroke: c.text3, grid: { stroke: c.borderSoft, width: 1 }, ticks: { show: false }, font: '11px sans-serif' };
    const plot = new uPlot(
      {
        width: element.clientWidth || 300,
        height,
        cursor: { show: axes, y: false },
        legend: { show: false },
        padding: axes ? [8, 8, 0, 0] : [2, 0, 2, 0],
        scales: { x: { time: true, range: (_, min, max) => [Math.min(min, max - 60), max] }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.15)] } },
        axes: axes ? [{ ...axis, size: 26, space: 90, values: (_, ticks) => ticks.map(clock) }, { ...axis, size: 44 }] : [{ show: false }, { show: false }],
        series: [{}, { label, stroke, width: 1.6, fill: `${stroke}22`, points: { show: false } }],
      },
      [times, values],
      element,
    );
    chart.current = plot;
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
      chart.current = null;
    };
    // Data arrives through the effect below; only looks rebuild the chart.
  }, [name, height, axes, label]);
  useEffect(() => {
    chart.current?.setData([times, values]);
  }, [times, values]);
  const last = values.at(-1);
  return <div ref={host} role="img" aria-label={`${label}: ${last ?? '–'}`} />;
}
