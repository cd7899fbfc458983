#!/bin/bash
# SPDX-License-Identifier: MIT
# Run by process 1 of a machine of ./rig: runs /host/script, and then ends the machine, or boots it anew.
set -uo pipefail
export LC_ALL=C.UTF-8 HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /host || exit
exec >>/host/out.tap 2>>/host/inside.log </dev/null
MACHINE=$(cat machine)
BOOT=$(($(cat boots 2>/dev/null || echo 0) + 1))
echo $BOOT >boots

# Said by a script as its last words: boot again, in order or as if the power had gone.
next=end
reboot_now() { next=reboot; }
crash_now() { next=crash; }

# shellcheck disable=SC1091 # they are there in the machine
. /host/common.bash
# shellcheck disable=SC1091
. /host/script
[ ! -e /host/failed ] || next=end
[ $next != end ] || plan
sync
case $next:$MACHINE in
	crash:*) exec systemctl reboot -ff ;;
	reboot:systemd | reboot:uml) exec systemctl reboot --no-block ;;
	end:systemd | end:uml) exec systemctl poweroff --no-block ;;
	reboot:sysvinit | reboot:openrc) exec /opt/sysvinit/sbin/telinit 6 ;;
	end:sysvinit | end:openrc) exec /opt/sysvinit/sbin/telinit 0 ;;
	reboot:runit) touch /run/runit.stopit && chmod 0100 /run/runit.stopit /run/runit.reboot && kill -CONT 1 ;;
	end:runit) chmod 0000 /run/runit.reboot && chmod 0100 /run/runit.stopit && kill -CONT 1 ;;
	end:s6) exec s6-svscanctl -t /service ;;
esac
sleep infinity
