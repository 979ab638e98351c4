using ClusterLlm.AppHost.Settings;
using ClusterLlm.AppHost.Standalone;
using ClusterLlm.AppHost.Topology;
using ClusterLlm.ServiceDefaults;

if (HelpText.IsAsked(args))
{
    Console.WriteLine(HelpText.Write());
    return 0;
}

var reading = SettingsSources.Read(args);
if (reading.Problems.Count > 0)
{
    return StandaloneProgram.Refuse(reading.Problems, Console.Error, StartFailures.InvalidSettings);
}

var reason = BuildFacts.Read().AspireReason;
#if ASPIRE
var missing = reading.Settings.Standalone ? "AppHost:Standalone is true" : ClusterLlm.AppHost.Aspire.AspireTools.Problem();
if (missing is null)
{
    return await ClusterLlm.AppHost.Aspire.AspireProgram.RunAsync(reading.Settings, reason, Console.Out, Console.Error);
}

reason = missing;
#endif
return await StandaloneProgram.RunAsync(reading.Settings, reason, Console.Out, Console.Error);
