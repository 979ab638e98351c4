namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>Reads a Mac by its own programs; a program that is missing or fails leaves its facts out.</summary>
/// <param name="readCpuTicks">CPU time since the start; a function so that tests need no Mac.</param>
internal sealed class MacHardwareReader(ICommandRunner commands, Func<CpuTicks?> readCpuTicks) : IHardwareReader
{
    private const string Sysctl = "/usr/sbin/sysctl";

    // -i: names that this Mac does not have are left out instead of being an error.
    private static readonly string[] FactNames =
    [
        "-i", "hw.memsize", "hw.model", "machdep.cpu.brand_string", "hw.ncpu", "hw.nperflevels", "hw.perflevel0.physicalcpu",
        "hw.perflevel1.physicalcpu", "hw.perflevel2.physicalcpu", "iogpu.wired_limit_mb", "kern.osproductversion",
    ];

    private static readonly string[] ReadingNames =
        ["-i", "hw.memsize", "iogpu.wired_limit_mb", "kern.memorystatus_vm_pressure_level", "machdep.cpu.brand_string"];

    private CpuTicks? _lastTicks;
    private bool? _hasGpu;

    public async ValueTask<MachineFacts> ReadFactsAsync(CancellationToken cancellationToken)
    {
        var sysctl = SysctlOutput.Parse(await commands.RunAsync(Sysctl, FactNames, cancellationToken).ConfigureAwait(false));
        var profiler = await ReadProfilerAsync(cancellationToken).ConfigureAwait(false);
        var system = MacTextOutputs.OperatingSystem(await commands.RunAsync("/usr/bin/sw_vers", [], cancellationToken).ConfigureAwait(false));
        var ports = MacLinks.HardwarePorts(
            await commands.RunAsync("/usr/sbin/networksetup", ["-listallhardwareports"], cancellationToken).ConfigureAwait(false));
        var memory = MemoryBytes(sysctl);
        return new MachineFacts(
            system.Length > 0 ? system : $"macOS {sysctl.Text("kern.osproductversion")}".Trim(),
            profiler.Model.Length > 0 ? profiler.Model : sysctl.Text("hw.model"),
            profiler.Chip.Length > 0 ? profiler.Chip : sysctl.Text("machdep.cpu.brand_string"),
            sysctl.Cores() ?? Environment.ProcessorCount,
            profiler.GpuCores,
            memory,
            GpuMemory.Usable(memory, sysctl.Number("iogpu.wired_limit_mb"), profiler.GpuCores > 0),
            MachineIds.Hash(profiler.PlatformId.Length > 0 ? profiler.PlatformId : Environment.MachineName),
            MacLinks.Active(await commands.RunAsync("/sbin/ifconfig", [], cancellationToken).ConfigureAwait(false), ports));
    }

    public async ValueTask<MachineReading> ReadAsync(CancellationToken cancellationToken)
    {
        // Whether there is a GPU does not change, and asking takes seconds.
        var hasGpu = _hasGpu ?? (await ReadProfilerAsync(cancellationToken).ConfigureAwait(false)).GpuCores > 0;
        var sysctl = SysctlOutput.Parse(await commands.RunAsync(Sysctl, ReadingNames, cancellationToken).ConfigureAwait(false));
        var memory = MemoryBytes(sysctl);
        var ticks = readCpuTicks();
        var load = _lastTicks is { } before && ticks is { } now ? CpuTicks.Load(before, now) : null;
        _lastTicks = ticks;
        return new MachineReading(
            memory,
            GpuMemory.Usable(memory, sysctl.Number("iogpu.wired_limit_mb"), hasGpu),
            await ReadUsedAsync(memory, cancellationToken).ConfigureAwait(false),
            sysctl.Pressure(),
            load,
            TemperatureCelsius: null, // Readable only with root's rights (powermetrics) or private interfaces.
            await ReadThermalAsync(sysctl.Text("machdep.cpu.brand_string"), cancellationToken).ConfigureAwait(false));
    }

    private async ValueTask<SystemProfilerOutput> ReadProfilerAsync(CancellationToken cancellationToken)
    {
        var profiler = SystemProfilerOutput.Parse(await commands.RunAsync(
            "/usr/sbin/system_profiler", ["SPHardwareDataType", "SPDisplaysDataType", "-json"], cancellationToken).ConfigureAwait(false));
        _hasGpu = profiler.GpuCores > 0;
        return profiler;
    }

    /// <summary>By vm_stat; where that fails, by the share that memory_pressure calls free.</summary>
    private async ValueTask<long?> ReadUsedAsync(long memoryBytes, CancellationToken cancellationToken)
    {
        var vmStat = VmStatOutput.Parse(await commands.RunAsync("/usr/bin/vm_stat", [], cancellationToken).ConfigureAwait(false));
        if (vmStat.UsedBytes is { } used)
        {
            return Math.Min(used, memoryBytes);
        }

        var free = MacTextOutputs.FreePart(await commands.RunAsync("/usr/bin/memory_pressure", ["-Q"], cancellationToken).ConfigureAwait(false));
        return free is { } part ? (long)(memoryBytes * (1 - part)) : null;
    }

    private async ValueTask<ThermalState> ReadThermalAsync(string cpuBrand, CancellationToken cancellationToken) =>
        cpuBrand.StartsWith("Intel", StringComparison.Ordinal)
        ? MacTextOutputs.CpuSpeedLimit(await commands.RunAsync("/usr/bin/pmset", ["-g", "therm"], cancellationToken).ConfigureAwait(false))
        : MacTextOutputs.ThermalPressure(await commands.RunAsync(
            "/usr/bin/notifyutil", ["-g", "com.apple.system.thermalpressurelevel"], cancellationToken).ConfigureAwait(false));

    private static long MemoryBytes(SysctlOutput sysctl) =>
        sysctl.Number("hw.memsize") ?? throw new InvalidDataException("sysctl does not tell hw.memsize: the machine's memory is unknown.");
}
