/** Three sheets, stacked. */
export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="7" fill="#0b5c76" />
      <path d="M7 21.5 16 26l9-4.5M7 16.2l9 4.5 9-4.5" fill="none" stroke="#8fd3e6" strokeWidth="2.4" strokeLinejoin="round" strokeLinecap="round" />
      <path d="m16 6 9 4.6-9 4.5-9-4.5z" fill="#fff" />
    </svg>
  );
}
