# What systemd knows of the units that several questions are about, as it prints it: "PROPERTY=VALUE", and an empty line between two
# units; docker.service is the first. Asked once for all questions of a batch, and by a script that is asked without others itself.
look_at_units() {
    systemd_units=$(TZ=UTC systemctl show --property Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ActiveEnterTimestamp,MainPID,ExecStart,Environment,EnvironmentFiles,FragmentPath,DropInPaths,Listen \
        docker.service docker.socket containerd.service mstdn-firewall.service ssh.socket sshd.socket nftables.service \
        netfilter-persistent.service firewalld.service apt-daily.timer apt-daily-upgrade.timer 2>/dev/null)
}
line_end='
'
between=$line_end$line_end
[ -n "${systemd_units+found}" ] || {
    look_at_units
    # Docker starts, as after a boot, or reads its configuration anew: in a moment more is known.
    tries=60
    while [ "$tries" -gt 0 ]; do
        case ${systemd_units%%"$between"*} in *ActiveState=activating* | *ActiveState=reloading*) ;; *) break ;; esac
        tries=$((tries - 1))
        sleep 0.5
        look_at_units
    done
}
# Puts what is known of the unit $1 into $unit; where that is nothing, it fails.
find_unit() {
    rest=$systemd_units$between
    while [ -n "$rest" ]; do
        unit=${rest%%"$between"*}
        rest=${rest#*"$between"}
        case $line_end$unit$line_end in *"${line_end}Id=$1$line_end"*) return 0 ;; esac
    done
    unit=''
    return 1
}
# As "systemctl is-enabled" and "is-active" say it.
is_enabled() {
    find_unit "$1" || return 1
    case $unit in
    *UnitFileState=enabled* | *UnitFileState=static* | *UnitFileState=alias* | *UnitFileState=indirect* | *UnitFileState=generated*) ;;
    *) return 1 ;;
    esac
}
is_active() {
    find_unit "$1" || return 1
    case $unit in *ActiveState=active* | *ActiveState=reloading*) ;; *) return 1 ;; esac
}
